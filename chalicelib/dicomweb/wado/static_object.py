"""An object of the static bucket, with the headers under which it is served. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.dicomweb.media_types import DICOM_JSON

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATED = "no-cache"


@dataclass(frozen=True, slots=True)
class StaticObject:
    """One object of the static bucket; the body of a large one is an iterable of pieces."""

    key: str
    body: bytes | Iterable[bytes]
    content_type: str
    cache_control: str = IMMUTABLE
    content_encoding: str | None = None


def metadata_object(resource_key: str, compressed: bytes, cache_control: str) -> StaticObject:
    """Create the object ``…/metadata`` of an instance, a series or a study (PS3.18 §10.4.1.1.2).

    `compressed` is a JSON array of data sets, compressed with gzip.
    """
    return StaticObject(f"{resource_key}/metadata", compressed, DICOM_JSON, cache_control, "gzip")
