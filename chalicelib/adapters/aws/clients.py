"""How the archive talks to AWS: one client configuration, and one translation of its errors."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import NotFoundError, PreconditionFailedError, ServiceFaultError

T = TypeVar("T")

_NOT_FOUND = {"NoSuchKey", "NoSuchVersion", "404", "NotFound"}
_PRECONDITION_FAILED = {"PreconditionFailed", "ConditionalRequestConflict", "412"}


def make_client(service: str) -> Any:
    """A boto3 client, safe to share between threads.

    Retries throttling and transient faults; checksums are sent only where S3 demands them, since the
    archive keeps digests of its own and a CRC of every frame would be paid twice.
    """
    return boto3.client(
        service,
        config=Config(
            max_pool_connections=64,
            connect_timeout=5,
            read_timeout=60,
            # Presigned URLs of the older signature cannot name a response's content type.
            signature_version="s3v4" if service == "s3" else None,
            s3={"addressing_style": _addressing_style()},
            retries={"mode": "standard", "max_attempts": 5},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


def _addressing_style() -> str:
    """How botocore names a bucket in a URL.

    Left to itself it signs URLs for the global name BUCKET.s3.amazonaws.com, which in regions of after March 2019 is
    refused for ever, and elsewhere redirected (and so no longer signed) for hours after the bucket was made. An
    emulator's own address has no names for buckets.
    """
    own = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    return "auto" if own else "virtual"


@contextmanager
def service_faults(service: str) -> Iterator[None]:
    """Translate botocore's errors into the archive's.

    Raises
    ------
    NotFoundError, PreconditionFailedError, ServiceFaultError
    """
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in _NOT_FOUND:
            raise NotFoundError("the object does not exist") from error
        if code in _PRECONDITION_FAILED:
            raise PreconditionFailedError("the object was written meanwhile") from error
        raise ServiceFaultError(f"{service} failed ({code})") from error
    except BotoCoreError as error:
        raise ServiceFaultError(f"{service} failed") from error


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Split items into batches for a call that accepts at most `size` of them."""
    return (items[start : start + size] for start in range(0, len(items), size))
