"""The landing bucket in S3, as the store service writes to it."""

import logging
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.adapters.aws.clients import service_faults
from chalicelib.adapters.aws.s3_signed_put import SignedPut
from chalicelib.dicomweb.media_types import DICOM

if TYPE_CHECKING:
    from chalicelib.ports import LandingStore, LandingUpload

logger = logging.getLogger(__name__)


class S3Landing:
    """Writes landing objects.

    Parameters
    ----------
    client
        A boto3 S3 client; it is used by many threads at once.
    bucket
        Name of the landing bucket.
    """

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._signed_put = SignedPut(client, bucket)

    def put(self, key: str, instance_bytes: bytes, sha256: str) -> None:
        """Write an instance whole; S3 refuses it where the digest differs."""
        self._signed_put.put(key, instance_bytes, headers={"Content-Type": DICOM}, sha256=sha256)

    def begin_upload(self, key: str) -> "LandingUpload":
        """Start an S3 multipart upload."""
        with service_faults("S3"):
            created = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=key, ContentType=DICOM, ChecksumAlgorithm="CRC32"
            )
        return _S3Upload(self._client, {"Bucket": self._bucket, "Key": key, "UploadId": created["UploadId"]})


class _S3Upload:
    def __init__(self, client: Any, target: dict[str, str]) -> None:
        self._client = client
        self._target = target
        self._parts: list[dict[str, Any]] = []

    def append(self, block: bytes) -> None:
        number = len(self._parts) + 1
        with service_faults("S3"):
            sent = self._client.upload_part(**self._target, PartNumber=number, Body=block, ChecksumAlgorithm="CRC32")
        part = {"PartNumber": number, "ETag": sent["ETag"]}
        # S3 wants the sum back at completion; emulators need not give it.
        self._parts.append(part | {k: sent[k] for k in ("ChecksumCRC32",) if k in sent})

    def complete(self) -> None:
        with service_faults("S3"):
            self._client.complete_multipart_upload(**self._target, MultipartUpload={"Parts": self._parts})

    def abort(self) -> None:
        try:
            self._client.abort_multipart_upload(**self._target)
        except (BotoCoreError, ClientError):
            logger.warning("an upload could not be aborted", extra={"key": self._target["Key"]})


if TYPE_CHECKING:

    def _is_a_landing_store(adapter: S3Landing) -> LandingStore:
        return adapter
