"""The first bytes of a Part 10 file, read for what a STOW-RS answer names; no more is judged here."""

import zlib
from dataclasses import dataclass
from io import BytesIO
from itertools import count
from typing import cast

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset, read_preamble

from chalicelib.dicomweb.instance.transfer_syntaxes import TRANSFER_SYNTAXES, TransferSyntax
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.errors import DicomwebError, FailureReason, InstanceRejectedError, InvalidUidError

# All that is wanted stands before (0020,0010): SOP class and instance in group 8, then study and series.
_SERIES_INSTANCE_UID = 0x0020000E
_MAX_INFLATED_BYTES = 8 * 1024 * 1024
# Real headers have about a hundred; millions of empty elements would take seconds to walk.
_MAX_ELEMENTS = 10_000


@dataclass(frozen=True, slots=True)
class InstanceHeader:
    """Which instance a file says it holds."""

    uids: ResourceUids
    sop_class_uid: str
    transfer_syntax_uid: str


def read_header(prefix: bytes) -> InstanceHeader:
    """Read the identity of an instance from the first bytes of its Part 10 file (PS3.10 §7.1).

    Parameters
    ----------
    prefix
        The file up to any point behind (0020,000E); a whole file will do.

    Raises
    ------
    InstanceRejectedError
        The instance can never be stored: no Part 10 file, a UID or the transfer syntax is missing or bad.
    """
    try:
        return _read_header(BytesIO(prefix))
    except InvalidUidError as error:
        raise InstanceRejectedError(error.message) from error
    except DicomwebError:
        raise
    except Exception as error:  # pydicom converts on access, and raises whatever the bytes provoke
        raise InstanceRejectedError("the beginning of the data set cannot be parsed") from error


def _read_header(file: BytesIO) -> InstanceHeader:
    if read_preamble(file, force=True) is None:
        raise InstanceRejectedError("not a DICOM Part 10 file: no DICM prefix")
    # The group length is often wrong, so the group ends where another begins.
    meta = read_dataset(file, False, True, stop_when=lambda tag, _vr, _length: tag >> 16 != 2)
    transfer_syntax = TRANSFER_SYNTAXES.get(str(meta.get("TransferSyntaxUID") or ""))
    if transfer_syntax is None:
        raise InstanceRejectedError("the transfer syntax is missing or not supported")
    dataset = _read_identity(file, transfer_syntax)
    uids = ResourceUids(
        _text(dataset, "StudyInstanceUID"),
        _text(dataset, "SeriesInstanceUID"),
        _text(dataset, "SOPInstanceUID"),
    )
    return InstanceHeader(uids, _text(dataset, "SOPClassUID"), transfer_syntax.uid)


def _read_identity(file: BytesIO, transfer_syntax: TransferSyntax) -> Dataset:
    if transfer_syntax.deflated:
        # Limited, since the rest may be a bomb; incomplete, since `prefix` is.
        file = BytesIO(zlib.decompressobj(-zlib.MAX_WBITS).decompress(file.read(), _MAX_INFLATED_BYTES))
    seen = count()

    def is_behind(tag: int, _vr: str | None, _length: int) -> bool:
        if next(seen) > _MAX_ELEMENTS:
            raise InstanceRejectedError("too many elements stand before the UIDs")
        return tag > _SERIES_INSTANCE_UID

    return read_dataset(file, transfer_syntax.implicit_vr, transfer_syntax.little_endian, stop_when=is_behind)


def _text(dataset: Dataset, keyword: str) -> str:
    value = cast(object, dataset.get(keyword))
    if not value:
        raise InstanceRejectedError(f"{keyword} is missing", FailureReason.DATA_SET_DOES_NOT_MATCH_SOP_CLASS)
    if not isinstance(value, str):
        raise InstanceRejectedError(f"{keyword} has several values")
    return value.strip("\0 ")
