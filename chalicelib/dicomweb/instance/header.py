"""The first bytes of a Part 10 file, read for what a STOW-RS answer names; no more is judged here."""

import zlib
from dataclasses import dataclass
from io import BytesIO
from itertools import count

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from chalicelib.dicomweb.instance.identity import read_file_meta, read_uid, read_uids
from chalicelib.dicomweb.instance.transfer_syntaxes import TransferSyntax
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.errors import InstanceRejectedError

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
    except InstanceRejectedError:
        raise
    except Exception as error:  # pydicom converts on access, and raises whatever the bytes provoke
        raise InstanceRejectedError("the beginning of the data set cannot be parsed") from error


def _read_header(file: BytesIO) -> InstanceHeader:
    transfer_syntax = read_file_meta(file)
    dataset = _read_identity(file, transfer_syntax)
    return InstanceHeader(read_uids(dataset), read_uid(dataset, "SOPClassUID"), transfer_syntax.uid)


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
