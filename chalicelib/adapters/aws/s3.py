"""ObjectStore on S3."""

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from threading import Lock
from typing import Any, BinaryIO, cast

from chalicelib.adapters.aws.clients import service_faults
from chalicelib.adapters.aws.s3_signed_put import SignedPut, is_plain
from chalicelib.adapters.aws.s3_upload import S3Upload, join_parts
from chalicelib.dicomweb.wado.static_object import StaticObject
from chalicelib.errors import NotFoundError
from chalicelib.ports import ObjectContent, ObjectHead, ObjectStore, ObjectVersion

_READ_BYTES = 1024 * 1024
_PRESIGNED_SECONDS = 300


class S3ObjectStore(ObjectStore):
    """Objects in S3, in any bucket.

    Parameters
    ----------
    client
        boto3 S3 client.
    in_memory_bytes
        Objects up to this size are read into memory, larger ones into a temporary file.
    """

    def __init__(self, client: Any, *, in_memory_bytes: int) -> None:
        self._client = client
        self._in_memory_bytes = in_memory_bytes
        self._signed_puts: dict[str, SignedPut] = {}
        self._signed_puts_lock = Lock()

    @contextmanager
    def open(self, version: ObjectVersion) -> Iterator[ObjectContent]:
        """Open a version for reading; its whole content is received and hashed first."""
        with service_faults("S3"):
            answer = self._client.get_object(**_address(version))
        size, body = answer["ContentLength"], answer["Body"]
        with _spool(size, self._in_memory_bytes) as file:
            digest = hashlib.sha256()
            with service_faults("S3"):
                for block in body.iter_chunks(_READ_BYTES):
                    digest.update(block)
                    file.write(block)
            file.seek(0)
            yield ObjectContent(file, size, digest.hexdigest(), answer["LastModified"])

    def put(self, bucket: str, content: StaticObject) -> None:
        """Write an object of an instance."""
        if not isinstance(content.body, bytes):
            self._put_pieces(bucket, content, content.body)
        elif is_plain(content.key):
            digest = hashlib.sha256(content.body).hexdigest()
            self._signed_put(bucket).put(content.key, content.body, headers=_headers(content), sha256=digest)
        else:
            self._put_object(bucket, content, {})

    def put_aggregate(self, bucket: str, content: StaticObject, replaces: str | None) -> str:
        """Replace the version of an aggregate whose ETag is `replaces`; returns the new ETag."""
        condition = {"IfMatch": replaces} if replaces else {"IfNoneMatch": "*"}
        try:
            return self._put_object(bucket, content, condition)
        except NotFoundError:
            # S3's answer to If-Match if the object does not exist any more.
            return self.put_aggregate(bucket, content, None)

    def head(self, bucket: str, key: str) -> ObjectHead | None:
        """Read the headers of an object; None if it does not exist."""
        try:
            with service_faults("S3"):
                answer = self._client.head_object(Bucket=bucket, Key=key)
        except NotFoundError:
            return None
        return ObjectHead(
            size=answer["ContentLength"],
            etag=answer["ETag"],
            content_type=answer["ContentType"],
            cache_control=answer.get("CacheControl", ""),
            content_encoding=answer.get("ContentEncoding") or None,
        )

    def get_bytes(self, bucket: str, key: str) -> bytes:
        """Read a small object into memory."""
        with service_faults("S3"):
            return bytes(self._client.get_object(Bucket=bucket, Key=key)["Body"].read())

    def presign(self, version: ObjectVersion, *, content_type: str) -> str:
        """Create a URL with which anybody can read a version for a few minutes."""
        with service_faults("S3"):
            return str(
                self._client.generate_presigned_url(
                    "get_object",
                    Params={**_address(version), "ResponseContentType": content_type},
                    ExpiresIn=_PRESIGNED_SECONDS,
                )
            )

    def _put_object(self, bucket: str, content: StaticObject, condition: Mapping[str, str]) -> str:
        with service_faults("S3"):
            answer = self._client.put_object(
                Bucket=bucket, Key=content.key, Body=content.body, **condition, **_properties(content)
            )
        return str(answer["ETag"])

    def _signed_put(self, bucket: str) -> SignedPut:
        with self._signed_puts_lock:
            if bucket not in self._signed_puts:
                self._signed_puts[bucket] = SignedPut(self._client, bucket)
            return self._signed_puts[bucket]

    def _put_pieces(self, bucket: str, content: StaticObject, pieces: Iterable[bytes]) -> None:
        upload = S3Upload(self._client, bucket, content.key, properties=_properties(content))
        try:
            for part in join_parts(pieces):
                upload.append(part)
            upload.complete()
        except BaseException:
            upload.abort()
            raise


def _address(version: ObjectVersion) -> dict[str, str]:
    address = {"Bucket": version.bucket, "Key": version.key}
    return {**address, "VersionId": version.version_id} if version.version_id else address


def _headers(content: StaticObject) -> dict[str, str]:
    headers = {"Content-Type": content.content_type, "Cache-Control": content.cache_control}
    if content.content_encoding:
        headers["Content-Encoding"] = content.content_encoding
    return headers


def _properties(content: StaticObject) -> dict[str, str]:
    """The headers under boto3's names, which lack the hyphens."""
    return {name.replace("-", ""): value for name, value in _headers(content).items()}


@contextmanager
def _spool(size: int, in_memory_bytes: int) -> Iterator[BinaryIO]:
    if size <= in_memory_bytes:
        yield BytesIO()
        return
    with tempfile.TemporaryFile() as file:
        yield cast(BinaryIO, file)
