"""Reads what identifies the instance in a Part 10 file: the transfer syntax, the SOP class and the UIDs."""

from typing import BinaryIO

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset, read_preamble

from chalicelib.dicomweb.instance.boundary import rejects
from chalicelib.dicomweb.instance.transfer_syntaxes import TRANSFER_SYNTAXES, TransferSyntax
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.errors import FailureReason, InstanceRejectedError, InvalidUidError


@rejects("the file meta information cannot be parsed")
def read_file_meta(file: BinaryIO) -> TransferSyntax:
    """Read preamble and file meta information (PS3.10 §7.1); leave `file` at the start of the data set.

    Raises
    ------
    InstanceRejectedError
        The file is not a Part 10 file, or its transfer syntax is missing or not supported.
    """
    if read_preamble(file, force=True) is None:
        raise InstanceRejectedError("not a DICOM Part 10 file: no DICM prefix")
    # The group length is often wrong, so the group ends where the next group begins.
    meta = read_dataset(file, False, True, stop_when=lambda tag, _vr, _length: tag >> 16 != 2)
    uid = str(meta.get("TransferSyntaxUID") or "")
    if not uid:
        raise InstanceRejectedError("the file meta information names no transfer syntax")
    if uid not in TRANSFER_SYNTAXES:
        raise InstanceRejectedError("the transfer syntax is not supported")
    return TRANSFER_SYNTAXES[uid]


def read_uids(dataset: Dataset) -> ResourceUids:
    """Read the address of the instance.

    Raises
    ------
    InstanceRejectedError
        A UID is missing, has several values or is not valid (PS3.5 §9.1).
    """
    study, series, instance = (
        read_uid(dataset, keyword) for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
    )
    try:
        return ResourceUids(study, series, instance)
    except InvalidUidError as error:
        raise InstanceRejectedError(error.message) from error


def read_uid(dataset: Dataset, keyword: str) -> str:
    """Read the single value of an identifying attribute, without padding.

    Raises
    ------
    InstanceRejectedError
        The attribute is missing, cannot be read or has several values.
    """
    try:
        value = dataset.get(keyword)
    except Exception as error:  # as above
        raise InstanceRejectedError(f"{keyword} cannot be read") from error
    if not value:
        raise InstanceRejectedError(f"{keyword} is missing", FailureReason.DATA_SET_DOES_NOT_MATCH_SOP_CLASS)
    if not isinstance(value, str):
        raise InstanceRejectedError(f"{keyword} has several values")
    return value.strip("\0 ")
