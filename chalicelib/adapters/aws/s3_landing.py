"""LandingStore on S3."""

from typing import Any

from chalicelib.adapters.aws.s3_signed_put import SignedPut
from chalicelib.adapters.aws.s3_upload import S3Upload
from chalicelib.dicomweb.media_types import DICOM
from chalicelib.ports import LandingStore


class S3Landing(LandingStore):
    """The landing bucket, as the store service writes to it.

    Parameters
    ----------
    client
        A boto3 S3 client; many threads use it concurrently.
    bucket
        Name of the landing bucket.
    """

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._signed_put = SignedPut(client, bucket)

    def put(self, key: str, instance_bytes: bytes, sha256: str) -> None:
        """Write a whole instance; S3 refuses it if the bytes do not have this digest."""
        self._signed_put.put(key, instance_bytes, headers={"Content-Type": DICOM}, sha256=sha256)

    def begin_upload(self, key: str) -> S3Upload:
        """Start an S3 multipart upload."""
        return S3Upload(self._client, self._bucket, key, properties={"ContentType": DICOM}, checksum_algorithm="CRC32")
