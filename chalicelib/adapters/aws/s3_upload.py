"""Multipart upload to S3: an object that is sent in parts, and exists only when the upload is completed."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.adapters.aws.clients import service_faults
from chalicelib.errors import ServiceFaultError
from chalicelib.ports import LandingUpload

logger = logging.getLogger(__name__)

# S3 accepts parts of 5 MiB to 5 GiB, and a smaller last one. 10,000 parts of 16 MiB are 156 GiB.
PART_BYTES = 16 * 1024 * 1024
_MAX_PARTS = 10_000


class S3Upload(LandingUpload):
    """One multipart upload. Every method but `abort` raises ServiceFaultError.

    Parameters
    ----------
    client
        A boto3 S3 client.
    properties
        Headers of the object under boto3's names, e.g. ``{"ContentType": "application/dicom"}``.
    checksum_algorithm
        If given, e.g. ``"CRC32"``, S3 checks each part that it receives against this checksum.
    """

    def __init__(
        self,
        client: Any,
        bucket: str,
        key: str,
        *,
        properties: Mapping[str, str],
        checksum_algorithm: str | None = None,
    ) -> None:
        self._client = client
        self._checksum_algorithm = checksum_algorithm
        self._checksum = {"ChecksumAlgorithm": checksum_algorithm} if checksum_algorithm else {}
        self._parts: list[dict[str, Any]] = []
        address = {"Bucket": bucket, "Key": key}
        with service_faults("S3"):
            created = client.create_multipart_upload(**address, **properties, **self._checksum)
        self._target = {**address, "UploadId": created["UploadId"]}

    def append(self, block: bytes) -> None:
        """Send the next part. All but the last must have at least 5 MiB; S3 refuses smaller ones at completion."""
        number = len(self._parts) + 1
        if number > _MAX_PARTS:
            raise ServiceFaultError(f"S3 accepts at most {_MAX_PARTS} parts of an object")
        with service_faults("S3"):
            sent = self._client.upload_part(**self._target, PartNumber=number, Body=block, **self._checksum)
        part = {"PartNumber": number, "ETag": sent["ETag"]}
        # S3 demands the checksum at completion; emulators need not return it.
        returned = f"Checksum{self._checksum_algorithm}"
        self._parts.append(part | ({returned: sent[returned]} if returned in sent else {}))

    def complete(self) -> None:
        """Create the object from the parts. It is durable when this returns."""
        with service_faults("S3"):
            self._client.complete_multipart_upload(**self._target, MultipartUpload={"Parts": self._parts})

    def abort(self) -> None:
        """Discard the parts. Never raises: a lifecycle rule of the bucket removes what is left."""
        try:
            self._client.abort_multipart_upload(**self._target)
        except (BotoCoreError, ClientError):
            logger.warning("an upload could not be aborted", extra={"key": self._target["Key"]})


def join_parts(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Join pieces of any size to parts of at least `PART_BYTES` (the last may be smaller), one in memory at a time."""
    part = bytearray()
    for piece in pieces:
        part += piece
        if len(part) >= PART_BYTES:
            yield bytes(part)
            part.clear()
    if part:
        yield bytes(part)
