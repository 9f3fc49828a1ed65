"""Shared by all adapters of AWS: the configuration of clients, the translation of errors, and batches."""

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
    """Create a boto3 client, safe to share between threads.

    It retries throttling and transient faults. It sends checksums only where S3 demands them: the archive keeps
    digests of its own, so a CRC of every frame would only cost time.
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
    """Choose how botocore names a bucket in a URL.

    By default botocore signs URLs for the global name BUCKET.s3.amazonaws.com. Regions opened after March 2019 refuse
    that name; other regions redirect it for hours after the bucket was created, and the signature does not hold for
    the new address. An emulator has one address for all buckets.
    """
    emulator = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    return "auto" if emulator else "virtual"


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
            raise PreconditionFailedError("another writer has changed the object") from error
        raise ServiceFaultError(f"{service} failed ({code})") from error
    except BotoCoreError as error:
        raise ServiceFaultError(f"{service} failed") from error


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Split items into batches for a call that accepts at most `size` of them."""
    return (items[start : start + size] for start in range(0, len(items), size))
