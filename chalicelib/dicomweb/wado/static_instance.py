"""Derives the static WADO-RS objects of one instance; the key of an object is its URL path."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from chalicelib.dicomweb.attributes import BY_KEYWORD, DicomJson
from chalicelib.dicomweb.compression import compress
from chalicelib.dicomweb.instance.byte_range import ByteRange, read_range
from chalicelib.dicomweb.instance.json_model import BulkData, to_json
from chalicelib.dicomweb.instance.part10 import Instance
from chalicelib.dicomweb.instance.pixel_data import Frames, find_frames
from chalicelib.dicomweb.json_text import dump_json
from chalicelib.dicomweb.media_types import DICOM, OCTET_STREAM
from chalicelib.dicomweb.multipart import Envelope, envelope
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.dicomweb.wado.static_object import StaticObject

_SOP_CLASS_UID = BY_KEYWORD["SOPClassUID"].tag

# Larger bodies are written in pieces, so that memory does not grow with the size of a frame.
PIECEWISE_BYTES = 16 * 1024 * 1024

# A body is stored compressed if that saves more than a tenth.
_WORTHWHILE = 0.9


@dataclass(frozen=True, slots=True)
class StaticInstance:
    """An instance that is ready to be published: every check that can reject it has passed.

    Valid as long as `instance`. `sha256` is the hexadecimal digest of its Part 10 file; `metadata` is its
    data set in the DICOM JSON Model.
    """

    instance: Instance
    sha256: str
    metadata: DicomJson
    frames: Frames | None
    bulk_data: list[BulkData]

    def media_objects(self, file: BinaryIO, size: int) -> Iterator[StaticObject]:
        """Yield the frames (without any, the instance itself) and the bulk data, creating one object at a time.

        Parameters
        ----------
        file, size
            The Part 10 file as stored, and its length in bytes.
        """
        if self.frames is None:
            yield instance_object(self.instance.uids, self.instance.transfer_syntax_uid, self.sha256, file, size)
        else:
            for frame_number in range(1, len(self.frames) + 1):
                yield self._frame_object(self.frames, frame_number)
        for item in self.bulk_data:
            yield self._bulk_data_object(item)

    def compressed_metadata(self) -> bytes:
        """Return the metadata as it is stored: a JSON array of one data set, compressed with gzip."""
        return compress(dump_json([self.metadata]))

    def _frame_object(self, frames: Frames, frame_number: int) -> StaticObject:
        """``…/frames/{n}``; the Content-Type of its part names the transfer syntax (PS3.18 §8.7.9)."""
        key = f"{self.instance.uids.key}/frames/{frame_number}"
        parts = envelope(frames.media_type, seed=f"{self.sha256}/{key}", transfer_syntax_uid=frames.transfer_syntax_uid)
        # Frames of a compressed transfer syntax cannot be compressed further.
        compressible = frames.media_type == OCTET_STREAM
        return _media_object(
            key, parts, frames.size(frame_number), frames.read(frame_number), compressible=compressible
        )

    def _bulk_data_object(self, item: BulkData) -> StaticObject:
        key = f"{self.instance.uids.key}/bulkdata/{item.path}"
        parts = envelope(OCTET_STREAM, seed=f"{self.sha256}/{key}")
        if isinstance(item.value, ByteRange):
            return _media_object(
                key, parts, item.value.length, read_range(self.instance.file, item.value), compressible=True
            )
        return _media_object(key, parts, len(item.value), iter((item.value,)), compressible=True)


def prepare(instance: Instance, *, sha256: str, dicomweb_root: str) -> StaticInstance:
    """Derive the metadata, the frames and the bulk data of an instance; write nothing.

    Parameters
    ----------
    sha256
        Hexadecimal digest of the Part 10 file.
    dicomweb_root
        Beginning of the BulkDataURIs, without a trailing slash. They are absolute, since the same text is used
        in the metadata of all three levels, and clients do not resolve relative URIs.

    Raises
    ------
    InstanceRejectedError
        The instance does not contain the frames that it declares.
    """
    frames = find_frames(instance)
    root = f"{dicomweb_root}/{instance.uids.path}/bulkdata/"
    data_set, bulk_data = to_json(instance, lambda path: root + path)
    metadata = {**data_set, **instance.uids.elements, _SOP_CLASS_UID: {"vr": "UI", "Value": [instance.sop_class_uid]}}
    return StaticInstance(instance, sha256, dict(sorted(metadata.items())), frames, bulk_data)


def instance_object(
    uids: ResourceUids, transfer_syntax_uid: str, sha256: str, file: BinaryIO, size: int
) -> StaticObject:
    """Create the object of the instance itself: its unchanged bytes in multipart/related (PS3.18 §10.4.1.1.1)."""
    parts = envelope(DICOM, seed=f"{sha256}/{uids.key}", transfer_syntax_uid=transfer_syntax_uid)
    return _media_object(uids.key, parts, size, read_range(file, ByteRange(0, size)), compressible=False)


def _media_object(key: str, parts: Envelope, size: int, pieces: Iterable[bytes], *, compressible: bool) -> StaticObject:
    if size > PIECEWISE_BYTES:
        return StaticObject(key, parts.wrap_pieces(pieces), parts.content_type)
    body = parts.wrap(b"".join(pieces))
    if compressible:
        compressed = compress(body)
        if len(compressed) < len(body) * _WORTHWHILE:
            return StaticObject(key, compressed, parts.content_type, content_encoding="gzip")
    return StaticObject(key, body, parts.content_type)
