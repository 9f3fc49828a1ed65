"""LandingStore in memory, for tests."""

import hashlib

from chalicelib.errors import ServiceFaultError
from chalicelib.ports import LandingStore, LandingUpload


class MemoryLanding(LandingStore):
    """Objects by key; `open_uploads` and `aborted` hold the keys of uploads."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.open_uploads: set[str] = set()
        self.aborted: list[str] = []

    def put(self, key: str, instance_bytes: bytes, sha256: str) -> None:
        """Write a whole instance; fails as S3 does if the bytes do not have this digest."""
        if hashlib.sha256(instance_bytes).hexdigest() != sha256:
            raise ServiceFaultError("S3 failed (400)")
        self.objects[key] = bytes(instance_bytes)

    def begin_upload(self, key: str) -> LandingUpload:
        """Start an upload in blocks."""
        self.open_uploads.add(key)
        return _MemoryUpload(self, key)


class _MemoryUpload(LandingUpload):
    def __init__(self, landing: MemoryLanding, key: str) -> None:
        self._landing = landing
        self._key = key
        self._blocks: list[bytes] = []
        self._open = True

    def append(self, block: bytes) -> None:
        self._ensure_open()
        self._blocks.append(bytes(block))

    def complete(self) -> None:
        self._ensure_open()
        self._close()
        self._landing.objects[self._key] = b"".join(self._blocks)

    def abort(self) -> None:
        if self._open:
            self._close()
            self._landing.aborted.append(self._key)

    def _ensure_open(self) -> None:
        if not self._open:
            raise ServiceFaultError("S3 failed (NoSuchUpload)")

    def _close(self) -> None:
        self._open = False
        self._landing.open_uploads.discard(self._key)
