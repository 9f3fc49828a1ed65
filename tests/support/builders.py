"""Makes DICOM instances for tests: small, valid unless a test asks otherwise, no two with the same UID."""

from __future__ import annotations

import itertools
import struct
from io import BytesIO
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.uid import (
    UID,
    CTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from chalicelib.dicomweb.resources import ResourceUids

_numbers = itertools.count(1)
ROOT_UID = "1.2.826.0.1.3680043.10.5432"

# The address of an instance with short UIDs, and the attributes that give it to `make_dataset`.
UIDS = ResourceUids("1.2", "1.2.3", "1.2.3.4")
NAMES: dict[str, Any] = {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.3", "SOPInstanceUID": "1.2.3.4"}


def new_uid() -> str:
    """A UID that no other call of this process returns."""
    return f"{ROOT_UID}.9.{next(_numbers)}"


def make_dataset(**attributes: Any) -> Dataset:
    """A 4x4 16-bit CT slice; an attribute given as None is left out."""
    values: dict[str, Any] = {
        "SpecificCharacterSet": "ISO_IR 192",
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": new_uid(),
        "StudyInstanceUID": f"{ROOT_UID}.1",
        "SeriesInstanceUID": f"{ROOT_UID}.1.1",
        "StudyDate": "20240301",
        "StudyTime": "101500",
        "AccessionNumber": "A1",
        "Modality": "CT",
        "PatientName": "Doe^Jane",
        "PatientID": "P1",
        "StudyID": "S1",
        "SeriesNumber": 1,
        "InstanceNumber": 1,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": 4,
        "Columns": 4,
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 0,
        "PixelData": bytes(range(32)),
    }
    values.update(attributes)
    dataset = Dataset()
    for keyword, value in values.items():
        if value is not None:
            setattr(dataset, keyword, value)
    return dataset


def encode(dataset: Dataset, transfer_syntax_uid: str = ExplicitVRLittleEndian) -> bytes:
    """A Part 10 file of a data set."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID") or CTImageStorage
    meta.MediaStorageSOPInstanceUID = UID(dataset.get("SOPInstanceUID") or "1.2.3")
    meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    dataset.file_meta = meta
    buffer = BytesIO()
    if UID(transfer_syntax_uid).is_encapsulated and "PixelData" in dataset:
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
    dcmwrite(
        buffer,
        dataset,
        implicit_vr=transfer_syntax_uid == ImplicitVRLittleEndian,
        little_endian=transfer_syntax_uid != ExplicitVRBigEndian,
        enforce_file_format=True,
    )
    return buffer.getvalue()


def make_instance(transfer_syntax_uid: str = ExplicitVRLittleEndian, **attributes: Any) -> bytes:
    """A Part 10 file of `make_dataset`."""
    return encode(make_dataset(**attributes), transfer_syntax_uid)


def with_element(tag: int, vr: bytes, value: bytes) -> bytes:
    """A Part 10 file of `make_dataset` in which one element has this VR and value, right or wrong."""
    dataset = make_dataset()
    if tag not in dataset:
        dataset.add_new(tag, "LO", "placeholder")
    file = encode(dataset)
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    start = file.index(head, 132)
    end = start + 8 + int.from_bytes(file[start + 6 : start + 8], "little")
    return file[:start] + head + vr + struct.pack("<H", len(value)) + value + file[end:]


def make_compressed(
    transfer_syntax_uid: str,
    frames: list[bytes],
    *,
    fragments: int = 1,
    has_bot: bool = True,
    **attributes: Any,
) -> bytes:
    """A Part 10 file whose compressed frames are the given bytes."""
    attributes = {"NumberOfFrames": len(frames), **attributes}
    pixel_data = encapsulate(frames, fragments_per_frame=fragments, has_bot=has_bot)
    return make_instance(transfer_syntax_uid, PixelData=pixel_data, **attributes)


def make_non_image(**attributes: Any) -> bytes:
    """A Part 10 file without pixel data: an encapsulated PDF of 4,000 bytes."""
    image_only = ("SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns", "BitsAllocated")
    pixel_keywords = (*image_only, "BitsStored", "HighBit", "PixelRepresentation", "PixelData")
    values: dict[str, Any] = {
        **dict.fromkeys(pixel_keywords),
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.104.1",
        "Modality": "DOC",
        "EncapsulatedDocument": b"%PDF" + bytes(3996),
        **attributes,
    }
    return make_instance(**values)
