"""Instances of every encoding, each with the frames that a reader must get; nothing here uses the product's code."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.uid import (
    MPEG4HP41,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

from tests.support.builders import make_compressed, make_instance, make_non_image

OCTET_STREAM = "application/octet-stream"
# PS3.18 Table 8.7.3-5, by the last components of the Transfer Syntax UID.
FRAME_MEDIA_TYPES = {
    "5": "image/dicom-rle",
    "4.50": "image/jpeg",
    "4.51": "image/jpeg",
    "4.57": "image/jpeg",
    "4.70": "image/jpeg",
    "4.80": "image/jls",
    "4.81": "image/jls",
    "4.90": "image/jp2",
    "4.91": "image/jp2",
    "4.201": "image/jphc",
    "4.102": "video/mp4",
}


def fresh_uid() -> str:
    """Return a UID that is used nowhere else: tests may be repeated on an archive that keeps its data."""
    return f"2.25.{uuid.uuid4().int}"


def fresh_uids(**others: str | None) -> dict[str, str | None]:
    """Return fresh UIDs of a study, a series and an instance, except for those that are given."""
    return {name: fresh_uid() for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")} | others


@dataclass(frozen=True)
class Source:
    """One Part 10 file; `frames` are the bytes that must be served, None if the instance is no image."""

    data: bytes
    frames: list[bytes] | None
    part_type: str = f"{OCTET_STREAM}; transfer-syntax={ExplicitVRLittleEndian}"
    dataset: Dataset = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dataset", dcmread(BytesIO(self.data)))

    @property
    def study_instance_uid(self) -> str:
        return str(self.dataset.StudyInstanceUID)

    @property
    def path(self) -> str:
        """Path of the instance below the DICOMweb root."""
        return f"{self.series_path}/instances/{self.dataset.SOPInstanceUID}"

    @property
    def series_path(self) -> str:
        return f"studies/{self.study_instance_uid}/series/{self.dataset.SeriesInstanceUID}"


def compressed_part_type(transfer_syntax_uid: str) -> str:
    """Return the Content-Type of a part that holds a compressed frame."""
    suffix = transfer_syntax_uid.removeprefix("1.2.840.10008.1.2.")
    return f"{FRAME_MEDIA_TYPES[suffix]}; transfer-syntax={transfer_syntax_uid}"


# --- generated ----------------------------------------------------------------------------------

_WORDS = bytes(range(32))
_SWAPPED = bytes(position ^ 1 for position in range(32))
_JPEGS = [b"\xff\xd8" + bytes([number]) * 30 + b"\xff\xd9" for number in range(1, 4)]
# Two frames of 3x3 bits, 111111111 and 010101010, packed without a gap from the least significant bit.
_BITS = 0b010101010_111111111
# Pixel data that contain line breaks and delimiters as multipart bodies do, also the beginning of stowrs's own.
_NASTY = b"\r\n--myboundar\r\n--\r\n" + bytes(2) + b"\r\n\n\n\r\n--\r\n\r\n"


def _native(transfer_syntax_uid: str, frames: list[bytes], **attributes: Any) -> Source:
    return Source(make_instance(transfer_syntax_uid, **fresh_uids(), **attributes), frames)


def _compressed(transfer_syntax_uid: str, frames: list[bytes], **options: Any) -> Source:
    options = {**fresh_uids(), **options}
    data = make_compressed(transfer_syntax_uid, frames, **options)
    return Source(data, frames, compressed_part_type(transfer_syntax_uid))


_GREY8 = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}
_BITMAP = {"Rows": 3, "Columns": 3, "BitsAllocated": 1, "BitsStored": 1, "HighBit": 0, "NumberOfFrames": 2}
_YBR = {"Rows": 2, "Columns": 4, "SamplesPerPixel": 3, "PhotometricInterpretation": "YBR_FULL_422", **_GREY8}

MADE: dict[str, Callable[[], Source]] = {
    "native": lambda: _native(ExplicitVRLittleEndian, [_WORDS]),
    "native multi-frame": lambda: _native(
        ExplicitVRLittleEndian, [_WORDS[:16], _WORDS[16:]], Rows=2, Columns=4, NumberOfFrames=2
    ),
    "native with the bytes of delimiters": lambda: _native(
        ExplicitVRLittleEndian, [_NASTY], Rows=1, Columns=len(_NASTY), PixelData=_NASTY, **_GREY8
    ),
    "compressible": lambda: _native(
        ExplicitVRLittleEndian, [bytes(32768)], Rows=128, Columns=128, PixelData=bytes(32768)
    ),
    "implicit": lambda: _native(ImplicitVRLittleEndian, [_WORDS]),
    "big-endian": lambda: _native(ExplicitVRBigEndian, [_SWAPPED]),
    "deflated": lambda: _native(DeflatedExplicitVRLittleEndian, [_WORDS]),
    "one bit": lambda: _native(
        ExplicitVRLittleEndian, [b"\xff\x01", b"\xaa\x00"], PixelData=_BITS.to_bytes(4, "little"), **_BITMAP
    ),
    "YBR_FULL_422": lambda: _native(
        ExplicitVRLittleEndian,
        [_WORDS[:16], _WORDS[16:]],
        NumberOfFrames=2,
        PixelData=_WORDS,
        PlanarConfiguration=0,
        **_YBR,
    ),
    "JPEG": lambda: _compressed(JPEGBaseline8Bit, _JPEGS[:1]),
    "JPEG multi-frame": lambda: _compressed(JPEGBaseline8Bit, _JPEGS),
    "JPEG multi-frame in fragments": lambda: _compressed(JPEGBaseline8Bit, _JPEGS, fragments=2),
    "JPEG multi-frame in fragments without an offset table": lambda: _compressed(
        JPEGBaseline8Bit, _JPEGS, fragments=2, has_bot=False
    ),
    "JPEG 2000 without an offset table": lambda: _compressed(JPEG2000Lossless, _JPEGS, has_bot=False),
    "RLE": lambda: _compressed(RLELossless, [bytes([frame]) * 64 for frame in (1, 2)]),
    "HTJ2K": lambda: _compressed(HTJ2KLossless, [b"h" * 100]),
    "video": lambda: _compressed(MPEG4HP41, [b"v" * 1000], fragments=3, NumberOfFrames=50),
    "encapsulated document": lambda: Source(make_non_image(**fresh_uids()), None),
}
"""Functions that generate an instance with fresh UIDs: the same name may be stored in several ways."""


def make_source(name: str) -> Source:
    """Generate one of `MADE`."""
    return MADE[name]()


# --- packaged with pydicom ----------------------------------------------------------------------


def packaged_source(path: Path) -> Source:
    """Return a packaged file with fresh UIDs (several files share theirs) of the same length: no other byte changes."""
    data = path.read_bytes()
    dataset = dcmread(BytesIO(data))
    if dataset.file_meta.TransferSyntaxUID != DeflatedExplicitVRLittleEndian:
        for uid in (dataset.SOPInstanceUID, dataset.StudyInstanceUID):
            data = data.replace(uid.encode(), _uid_of_length(len(uid)))
    transfer_syntax_uid = dataset.file_meta.TransferSyntaxUID
    if "PixelData" not in dataset:
        return Source(data, None)
    count = int(dataset.get("NumberOfFrames", 1) or 1)
    if transfer_syntax_uid.is_encapsulated:
        frames = list(generate_frames(dataset.PixelData, number_of_frames=count))
        return Source(data, frames, compressed_part_type(transfer_syntax_uid))
    return Source(data, list(_native_frames(dataset, count)))


def _uid_of_length(length: int) -> bytes:
    """Return a fresh UID of a given length; at least 20 of its digits are random."""
    return f"2.25.1{uuid.uuid4().int:039}{uuid.uuid4().int:039}"[:length].encode()


def _native_frames(dataset: Dataset, count: int) -> Iterator[bytes]:
    """Yield frames of whole bytes in little-endian order."""
    pixels = dataset.PixelData
    if not dataset.original_encoding[1]:
        word = max(2 if dataset["PixelData"].VR == "OW" else 1, dataset.BitsAllocated // 8)
        pixels = np.frombuffer(pixels, f">u{word}").astype(f"<u{word}").tobytes()
    samples = 2 if dataset.PhotometricInterpretation == "YBR_FULL_422" else dataset.SamplesPerPixel
    size = dataset.Rows * dataset.Columns * samples * dataset.BitsAllocated // 8
    for number in range(count):
        yield pixels[number * size : (number + 1) * size]
