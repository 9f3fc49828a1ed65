"""The transfer syntax and the UIDs that every Part 10 file must name."""

from io import BytesIO
from struct import pack

import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from chalicelib.dicomweb.instance.identity import read_file_meta, read_uid, read_uids
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.errors import FailureReason, InstanceRejectedError

PREAMBLE = bytes(128) + b"DICM"


def transfer_syntax(uid: bytes) -> bytes:
    """Element (0002,0010)."""
    return b"\x02\x00\x10\x00UI" + pack("<H", len(uid)) + uid


def with_raw_uid(vr: str, value: bytes) -> Dataset:
    """A data set whose StudyInstanceUID was read with this VR and these bytes."""
    dataset = Dataset()
    tag = Tag(0x0020000D)
    dataset[tag] = RawDataElement(tag, vr, len(value), value, 0, False, True)
    return dataset


def test_the_file_is_left_where_the_data_set_begins() -> None:
    data_set = b"\x08\x00\x60\x00CS\x02\x00CT"
    file = BytesIO(PREAMBLE + transfer_syntax(b"1.2.840.10008.1.2.1\0") + data_set)
    assert read_file_meta(file).uid == "1.2.840.10008.1.2.1"
    assert file.read() == data_set


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a DICOM Part 10 file: no DICM prefix"),
        (bytes(128) + b"dicm", "not a DICOM Part 10 file: no DICM prefix"),
        (PREAMBLE, "the file meta information names no transfer syntax"),
        (PREAMBLE + transfer_syntax(b""), "the file meta information names no transfer syntax"),
        (PREAMBLE + transfer_syntax(b"1.2.3\0"), "the transfer syntax is not supported"),
    ],
)
def test_a_file_whose_transfer_syntax_is_not_known_is_rejected(data: bytes, message: str) -> None:
    with pytest.raises(InstanceRejectedError) as caught:
        read_file_meta(BytesIO(data))
    assert caught.value.message == message


def test_uids_are_read_without_their_padding() -> None:
    dataset = Dataset()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID = "1.2", "1.3 ", "1.4"
    assert read_uids(dataset) == ResourceUids("1.2", "1.3", "1.4")
    assert read_uid(with_raw_uid("UI", b"1.2\0"), "StudyInstanceUID") == "1.2"


def test_an_address_that_is_not_valid_is_rejected_and_not_repeated() -> None:
    dataset = Dataset()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID = "1.2", "../1", "1.4"
    with pytest.raises(InstanceRejectedError) as caught:
        read_uids(dataset)
    assert caught.value.message == "SeriesInstanceUID is not a valid DICOM UID (digits and dots, at most 64)"


@pytest.mark.parametrize(
    ("dataset", "message", "reason"),
    [
        (Dataset(), "StudyInstanceUID is missing", FailureReason.DATA_SET_DOES_NOT_MATCH_SOP_CLASS),
        (
            with_raw_uid("UI", b""),
            "StudyInstanceUID is missing",
            FailureReason.DATA_SET_DOES_NOT_MATCH_SOP_CLASS,
        ),
        (with_raw_uid("UI", b"1.2\\1.3\0"), "StudyInstanceUID has several values", FailureReason.CANNOT_UNDERSTAND),
        # FD has values of eight bytes, not of three.
        (with_raw_uid("FD", b"1.2"), "StudyInstanceUID cannot be read", FailureReason.CANNOT_UNDERSTAND),
    ],
)
def test_an_identifying_attribute_has_one_value(dataset: Dataset, message: str, reason: FailureReason) -> None:
    with pytest.raises(InstanceRejectedError) as caught:
        read_uid(dataset, "StudyInstanceUID")
    assert (caught.value.message, caught.value.failure_reason) == (message, reason)
