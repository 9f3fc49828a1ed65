"""A landing bucket in memory: the fake of S3Landing in tests."""

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chalicelib.ports import LandingStore, LandingUpload


class MemoryLanding:
    """Keeps what was written, by key; `aborted` and `open_uploads` show what became of uploads."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.open_uploads: set[str] = set()
        self.aborted: list[str] = []

    def put(self, key: str, instance_bytes: bytes, sha256: str) -> None:
        """Keep an object, as S3 does only where the digest is right."""
        if hashlib.sha256(instance_bytes).hexdigest() != sha256:
            raise ValueError("the digest is not that of the bytes")
        self.objects[key] = bytes(instance_bytes)

    def begin_upload(self, key: str) -> "LandingUpload":
        """Start an upload in blocks."""
        self.open_uploads.add(key)
        return _MemoryUpload(self, key)


class _MemoryUpload:
    def __init__(self, landing: MemoryLanding, key: str) -> None:
        self._landing = landing
        self._key = key
        self._blocks: list[bytes] = []

    def append(self, block: bytes) -> None:
        self._blocks.append(bytes(block))

    def complete(self) -> None:
        self._landing.open_uploads.remove(self._key)
        self._landing.objects[self._key] = b"".join(self._blocks)

    def abort(self) -> None:
        self._landing.open_uploads.remove(self._key)
        self._landing.aborted.append(self._key)


if TYPE_CHECKING:

    def _is_a_landing_store(adapter: MemoryLanding) -> LandingStore:
        return adapter
