"""An object of the static bucket, and the compression in which it is kept."""

from collections.abc import Iterable
from dataclasses import dataclass

from isal import igzip

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATED = "no-cache"

JSON_MEDIA_TYPE = "application/dicom+json"
DICOM_MEDIA_TYPE = "application/dicom"

# igzip's levels go from 0 to 3; 1 costs a quarter of zlib's fastest.
_GZIP_LEVEL = 1


@dataclass(frozen=True, slots=True)
class StaticObject:
    """One object of the static bucket as it is to be served; a large body comes in pieces."""

    key: str
    body: bytes | Iterable[bytes]
    content_type: str
    cache_control: str = IMMUTABLE
    content_encoding: str | None = None


def metadata_object(resource_key: str, compressed: bytes, cache_control: str) -> StaticObject:
    """``…/metadata`` of an instance, a series or a study."""
    return StaticObject(f"{resource_key}/metadata", compressed, JSON_MEDIA_TYPE, cache_control, "gzip")


def compress(data: bytes) -> bytes:
    """Gzip at a fast level; the same bytes for the same data."""
    return igzip.compress(data, compresslevel=_GZIP_LEVEL, mtime=0)


def decompress(data: bytes) -> bytes:
    """Undo `compress`."""
    decompressed: bytes = igzip.decompress(data)  # type: ignore[no-untyped-call]
    return decompressed
