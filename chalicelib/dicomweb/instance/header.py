"""Reads from the beginning of a Part 10 file the UIDs that a STOW-RS answer contains; checks nothing else."""

import zlib
from dataclasses import dataclass
from io import BytesIO
from itertools import count

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from chalicelib.dicomweb.instance.boundary import rejects
from chalicelib.dicomweb.instance.identity import read_file_meta, read_uid, read_uids
from chalicelib.dicomweb.instance.transfer_syntaxes import TransferSyntax
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.errors import InstanceRejectedError

# The last element that is needed. SOP class and instance precede it in group 0008, the study in group 0020.
_SERIES_INSTANCE_UID = 0x0020000E
_MAX_INFLATED_BYTES = 8 * 1024 * 1024
# Real headers have about a hundred; reading millions of empty elements would take seconds.
_MAX_ELEMENTS = 10_000


@dataclass(frozen=True, slots=True)
class InstanceHeader:
    """Identity of an instance, as its file declares it."""

    uids: ResourceUids
    sop_class_uid: str
    transfer_syntax_uid: str


@rejects("the beginning of the data set cannot be parsed")
def read_header(prefix: bytes) -> InstanceHeader:
    """Read the identity of an instance from the first bytes of its Part 10 file (PS3.10 §7.1).

    Parameters
    ----------
    prefix
        Bytes of the file from its beginning to any point after (0020,000E); may be the whole file.

    Raises
    ------
    InstanceRejectedError
        The instance can never be stored: this is not a Part 10 file, or a UID or the transfer syntax is
        missing or not valid.
    """
    file = BytesIO(prefix)
    transfer_syntax = read_file_meta(file)
    dataset = _read_identity(file, transfer_syntax)
    return InstanceHeader(read_uids(dataset), read_uid(dataset, "SOPClassUID"), transfer_syntax.uid)


def _read_identity(file: BytesIO, transfer_syntax: TransferSyntax) -> Dataset:
    if transfer_syntax.deflated:
        # Limited, since the data may be a decompression bomb. Incomplete data is not an error: `prefix` may be cut.
        file = BytesIO(zlib.decompressobj(-zlib.MAX_WBITS).decompress(file.read(), _MAX_INFLATED_BYTES))
    seen = count()

    def is_behind(tag: int, _vr: str | None, _length: int) -> bool:
        if next(seen) > _MAX_ELEMENTS:
            raise InstanceRejectedError("too many elements precede the UIDs")
        return tag > _SERIES_INSTANCE_UID

    return read_dataset(file, transfer_syntax.implicit_vr, transfer_syntax.little_endian, stop_when=is_behind)
