"""An object of the static bucket, as it is to be served. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.dicomweb.media_types import DICOM_JSON

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATED = "no-cache"


@dataclass(frozen=True, slots=True)
class StaticObject:
    """One object of the static bucket; the body of a large one comes in pieces."""

    key: str
    body: bytes | Iterable[bytes]
    content_type: str
    cache_control: str = IMMUTABLE
    content_encoding: str | None = None


def metadata_object(resource_key: str, compressed: bytes, cache_control: str) -> StaticObject:
    """``…/metadata`` of an instance, a series or a study."""
    return StaticObject(f"{resource_key}/metadata", compressed, DICOM_JSON, cache_control, "gzip")
