"""Reads a DICOM Part 10 file with bounded memory and checks all of it, so that the result can be published."""

import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, TypeGuard, cast

import pydicom.config
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import UID

from chalicelib.dicomweb.instance.boundary import rejects
from chalicelib.dicomweb.instance.identity import read_file_meta, read_uid, read_uids
from chalicelib.dicomweb.instance.structure import PIXEL_DATA_TAGS, ElementLocation, locate_elements
from chalicelib.dicomweb.instance.transfer_syntaxes import TransferSyntax
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.errors import FailureReason, InstanceRejectedError

# Values are served as received; an archive does not judge them.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

# Larger values stay in the file until they are needed.
DEFER_BYTES = 64 * 1024

_COPY_BYTES = 1024 * 1024
_MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance that has been read; valid while the source file is open.

    `file` contains the encoded data set (inflated, if it was deflated), and `elements` gives the location
    of each top-level value in it, by tag. `dataset` contains all elements except pixel data; a value over
    `DEFER_BYTES` is left out of its raw element.
    """

    uids: ResourceUids
    sop_class_uid: str
    transfer_syntax: TransferSyntax
    dataset: Dataset
    file: BinaryIO
    elements: dict[int, ElementLocation]

    @property
    def transfer_syntax_uid(self) -> str:
        """UID of the transfer syntax in which the instance was stored."""
        return self.transfer_syntax.uid

    def read_value(self, tag: int) -> bytes:
        """Read the encoded value of a top-level element; empty if its length is undefined.

        Raises
        ------
        KeyError
            The data set has no such element.
        """
        location = self.elements[tag]
        self.file.seek(location.offset)
        return self.file.read(location.length or 0)


@contextmanager
def read_instance(file: BinaryIO, *, max_inflated_bytes: int) -> Iterator[Instance]:
    """Read and check a Part 10 file (PS3.10 §7).

    Parameters
    ----------
    file
        Seekable, positioned at its start.
    max_inflated_bytes
        Maximum size of a deflated data set after inflation.

    Raises
    ------
    InstanceRejectedError
        The instance can never be published. The message gives the reason and contains no value of the file.
    """
    transfer_syntax = read_file_meta(file)
    start = file.tell()
    if not transfer_syntax.deflated:
        yield _read(file, start, transfer_syntax)
        return
    # A small data set stays in memory; a decompression bomb goes to disk and is stopped at the limit.
    with tempfile.SpooledTemporaryFile(max_size=16 * _COPY_BYTES) as inflated:
        _inflate(file, cast(BinaryIO, inflated), max_inflated_bytes)
        yield _read(cast(BinaryIO, inflated), 0, transfer_syntax)


@rejects("the data set cannot be parsed")
def _read(file: BinaryIO, start: int, transfer_syntax: TransferSyntax) -> Instance:
    end = file.seek(0, 2)
    encoding = (transfer_syntax.implicit_vr, transfer_syntax.little_endian)
    elements = locate_elements(file, start, end, implicit_vr=encoding[0], little_endian=encoding[1])
    file.seek(start)
    dataset = _read_dataset(file, end, encoding, elements)
    _load_sequences(dataset, file)
    sop_class_uid = read_uid(dataset, "SOPClassUID")
    _check_storage_class(sop_class_uid)
    return Instance(read_uids(dataset), sop_class_uid, transfer_syntax, dataset, file, elements)


def _read_dataset(
    file: BinaryIO, end: int, encoding: tuple[bool, bool], elements: dict[int, ElementLocation]
) -> Dataset:
    """Read all except pixel data: pydicom scans it for its end, which compressed data may contain by chance."""

    def read_up_to_pixel_data() -> Dataset:
        return read_dataset(
            file, *encoding, stop_when=lambda tag, _vr, _length: tag in PIXEL_DATA_TAGS, defer_size=DEFER_BYTES
        )

    dataset = read_up_to_pixel_data()
    for location in sorted((elements[tag] for tag in PIXEL_DATA_TAGS if tag in elements), key=lambda it: it.offset):
        if location.end is None:
            raise InstanceRejectedError("the pixel data is neither native nor encapsulated")
        if location.end < end:
            file.seek(location.end)
            dataset.update(read_up_to_pixel_data())
    return dataset


def _inflate(source: BinaryIO, target: BinaryIO, max_bytes: int) -> None:
    """Inflate the rest of `source` (RFC 1951, PS3.5 §A.5)."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    written = 0
    try:
        while not inflater.eof:
            block = inflater.unconsumed_tail or source.read(_COPY_BYTES)
            # Also without input: when the output reached its limit, zlib may have consumed all input before.
            inflated = inflater.decompress(block, _COPY_BYTES)
            if not block and not inflated and not inflater.eof:
                raise InstanceRejectedError("the deflated data set is truncated")
            written += target.write(inflated)
            if written > max_bytes:
                raise InstanceRejectedError(
                    "the deflated data set exceeds the size limit when inflated", FailureReason.OUT_OF_RESOURCES
                )
    except zlib.error as error:
        raise InstanceRejectedError("the deflated data set cannot be inflated") from error


def _load_sequences(dataset: Dataset, file: BinaryIO) -> None:
    """Read the sequences that pydicom deferred because of their length: it cannot reopen this file to read them."""
    for tag, raw in list(dataset.items()):
        if is_deferred(raw) and (raw.VR or _dictionary_vr(tag)) == "SQ":
            file.seek(raw.value_tell)
            dataset[tag] = raw._replace(value=file.read(raw.length))


def is_deferred(element: RawDataElement | DataElement) -> TypeGuard[RawDataElement]:
    """Whether the value of an element was left in the file (see `DEFER_BYTES`)."""
    return isinstance(element, RawDataElement) and element.value is None and element.length != 0


def _dictionary_vr(tag: BaseTag) -> str | None:
    return dictionary_VR(tag) if dictionary_has_tag(tag) else None


def _check_storage_class(sop_class_uid: str) -> None:
    """Refuse a UID that the standard lists and that is not a storage class; unknown and private classes are stored."""
    uid = UID(sop_class_uid)
    # pydicom gives a UID that the standard does not list its own text as name.
    if uid.name == sop_class_uid:
        return
    storage = uid.type == "SOP Class" and "Storage" in uid.name and not uid.name.startswith("Storage ")
    if not storage or uid == _MEDIA_STORAGE_DIRECTORY:
        raise InstanceRejectedError("the SOP class is not a storage class", FailureReason.SOP_CLASS_NOT_SUPPORTED)
