import zlib
from io import BytesIO
from struct import pack
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from chalicelib.dicomweb.instance.part10 import DEFER_BYTES, is_deferred, read_instance
from chalicelib.errors import FailureReason, InstanceRejectedError
from tests.support.builders import NAMES, encode, make_compressed, make_dataset, make_instance

LIMIT = 1024 * 1024


def reject(data: bytes, limit: int = LIMIT) -> InstanceRejectedError:
    with (
        pytest.raises(InstanceRejectedError) as caught,
        read_instance(BytesIO(data), max_inflated_bytes=limit),
    ):
        pass
    return caught.value


def nested(depth: int) -> Dataset:
    item = Dataset()
    item.CodeValue = "innermost"
    for _ in range(depth):
        outer = Dataset()
        outer.ConceptNameCodeSequence = Sequence([item])
        item = outer
    return item


@pytest.mark.parametrize(
    "transfer_syntax_uid",
    ["1.2.840.10008.1.2.1", ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian],
)
def test_every_encoding_of_a_data_set_is_read(transfer_syntax_uid: str) -> None:
    data = make_instance(transfer_syntax_uid, StudyInstanceUID="1.2", SeriesInstanceUID="1.3", SOPInstanceUID="1.4")
    with read_instance(BytesIO(data), max_inflated_bytes=LIMIT) as instance:
        assert instance.uids.path == "studies/1.2/series/1.3/instances/1.4"
        assert instance.transfer_syntax_uid == transfer_syntax_uid
        assert instance.dataset.PatientName == "Doe^Jane"


@pytest.mark.parametrize("transfer_syntax_uid", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_large_values_stay_in_the_file_and_large_sequences_do_not(transfer_syntax_uid: str) -> None:
    item = Dataset()
    item.TextValue = "x" * (DEFER_BYTES + 1)
    attributes = {"EncapsulatedDocument": bytes(DEFER_BYTES + 2), "ContentSequence": Sequence([item])}
    data = make_instance(transfer_syntax_uid, **attributes)
    with read_instance(BytesIO(data), max_inflated_bytes=LIMIT) as instance:
        deferred = [tag for tag, element in instance.dataset.items() if is_deferred(element)]
        assert deferred == [0x00420011]
        assert instance.read_value(0x00420011) == bytes(DEFER_BYTES + 2)
        assert len(instance.dataset.ContentSequence[0].TextValue) == DEFER_BYTES + 1


@pytest.mark.parametrize("missing", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"])
def test_an_instance_without_an_identifying_uid_is_rejected(missing: str) -> None:
    error = reject(make_instance(**{missing: ""}))
    assert missing in error.message
    assert error.failure_reason is FailureReason.DATA_SET_DOES_NOT_MATCH_SOP_CLASS


@pytest.mark.parametrize(
    "uid", ["../../etc/passwd", "1.2.3/../x", "%2e%2e", ".", "..", "1..2", "1.2\0/x", "1" * 65, "a.b"]
)
def test_an_invalid_uid_is_rejected(uid: str) -> None:
    assert "not a valid DICOM UID" in reject(make_instance(StudyInstanceUID=uid)).message


def test_a_uid_with_two_values_is_rejected() -> None:
    assert "several values" in reject(make_instance(StudyInstanceUID=["1.2", "1.3"])).message


def test_a_uid_component_with_a_leading_zero_is_accepted() -> None:
    data = make_instance(SOPInstanceUID="1.2.03")
    with read_instance(BytesIO(data), max_inflated_bytes=LIMIT) as instance:
        assert instance.uids.sop_instance_uid == "1.2.03"


def test_an_identifying_element_that_occurs_twice_is_rejected() -> None:
    data = make_instance(SOPInstanceUID="1.2.34")
    element = b"\x08\x00\x18\x00UI" + pack("<H", 6) + b"1.2.34"
    assert data.count(element) == 1
    assert "twice" in reject(data.replace(element, element + element)).message


@pytest.mark.parametrize(
    "sop_class_uid", ["1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.1.20.1", "1.2.840.10008.1.3.10"]
)
def test_a_class_that_is_no_storage_class_is_rejected(sop_class_uid: str) -> None:
    error = reject(make_instance(SOPClassUID=sop_class_uid))
    assert error.failure_reason is FailureReason.SOP_CLASS_NOT_SUPPORTED


def test_a_private_storage_class_is_accepted() -> None:
    with read_instance(BytesIO(make_instance(SOPClassUID="1.3.46.670589.11.0.0.12.1")), max_inflated_bytes=LIMIT) as it:
        assert it.sop_class_uid == "1.3.46.670589.11.0.0.12.1"


@pytest.mark.parametrize("data", [b"", b"\0" * 132, b"no DICOM at all", b"\xff\xd8\xff\xe0" + bytes(400)])
def test_what_is_no_part_10_file_is_rejected(data: bytes) -> None:
    assert "no DICM prefix" in reject(data).message


def test_a_preamble_alone_is_rejected() -> None:
    assert "names no transfer syntax" in reject(bytes(128) + b"DICM").message


def test_every_cut_of_a_file_is_rejected() -> None:
    data = make_instance(PatientComments="x", ContentSequence=Sequence([nested(2)]))
    # A file that is cut between two elements before the pixel data looks like a file without pixel data.
    whole = [reject_or_none(data[:length]) for length in range(len(data) - 40, len(data))]
    assert None not in whole[9:]


def reject_or_none(data: bytes) -> str | None:
    try:
        with read_instance(BytesIO(data), max_inflated_bytes=LIMIT):
            return None
    except InstanceRejectedError as error:
        return error.message


def test_a_value_longer_than_the_file_is_rejected_without_being_allocated() -> None:
    data = make_instance(PixelData=bytes(32))
    header = b"\xe0\x7f\x10\x00OW\0\0"
    cut = data.index(header) + len(header)
    assert "(7FE0,0010) is truncated" in reject(data[:cut] + pack("<L", 0xFFFFFFF0) + data[cut + 4 :]).message


def test_trailing_garbage_is_rejected() -> None:
    assert reject(make_instance() + b"\xde\xad\xbe\xef" * 20)


def test_nesting_up_to_the_limit_is_read_and_deeper_is_rejected() -> None:
    deep = make_dataset(ContentSequence=Sequence([nested(60)]))
    with read_instance(BytesIO(encode(deep)), max_inflated_bytes=LIMIT):
        pass
    too_deep = make_dataset(ContentSequence=Sequence([nested(64)]))
    assert "nested deeper" in reject(encode(too_deep)).message


def test_an_item_longer_than_its_sequence_is_rejected() -> None:
    data = make_instance(ContentSequence=Sequence([nested(0)]))
    item = b"\xfe\xff\x00\xe0"
    cut = data.index(item) + 4
    assert "longer than the sequence" in reject(data[:cut] + pack("<L", 5000) + data[cut + 4 :]).message


def test_a_sequence_that_is_never_closed_is_rejected() -> None:
    opened = b"\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    assert reject(make_instance() + opened * 3)


def test_a_file_that_says_implicit_and_is_explicit_is_rejected() -> None:
    data = make_instance()
    assert reject(data.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2\0\0\0"))


def test_an_unknown_transfer_syntax_is_rejected() -> None:
    data = make_instance()
    assert "not supported" in reject(data.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.9.9.9\0")).message


def test_a_deflate_bomb_is_rejected_at_the_limit() -> None:
    bomb = make_instance(DeflatedExplicitVRLittleEndian, PixelData=bytes(4 * LIMIT))
    error = reject(bomb)
    assert error.failure_reason is FailureReason.OUT_OF_RESOURCES


def test_a_truncated_and_a_wrapped_deflate_stream_are_rejected() -> None:
    data = make_instance(DeflatedExplicitVRLittleEndian)
    assert "truncated" in reject(data[:-20]).message
    start = data.index(b"1.2.840.10008.1.2.1.99") + 22
    assert "cannot be inflated" in reject(data[:start] + zlib.compress(b"x" * 500)).message


def test_what_looks_like_a_delimiter_in_compressed_pixels_ends_nothing() -> None:
    frame = b"\xff\xd8" + b"\xfe\xff\xdd\xe0\x00\x00\x00\x00" + b"\xff\xd9" + b"\0\0"
    data = make_compressed("1.2.840.10008.1.2.4.50", [frame], DataSetTrailingPadding=b"pad!")
    with read_instance(BytesIO(data), max_inflated_bytes=LIMIT) as instance:
        assert instance.dataset.DataSetTrailingPadding == b"pad!"
        assert "PixelData" not in instance.dataset


def test_implicit_items_in_an_explicit_sequence_are_read_as_some_writers_make_them() -> None:
    implicit = b"\x08\x00\x00\x01" + pack("<L", 4) + b"CODE"
    item = b"\xfe\xff\x00\xe0" + pack("<L", len(implicit)) + implicit
    sequence = b"\x40\x00\x30\xa7SQ\0\0" + pack("<L", len(item)) + item
    data = make_instance(PixelData=None) + sequence
    with read_instance(BytesIO(data), max_inflated_bytes=LIMIT) as instance:
        assert instance.dataset.ContentSequence[0].CodeValue == "CODE"


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        # A sequence of 4 bytes, in which an item of undefined length begins.
        (
            b"\x40\x00\x30\xa7SQ\0\0\x04\0\0\0" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + b"\xfe\xff\x0d\xe0\0\0\0\0",
            "runs past",
        ),
        (b"\xfe\xff\x00\xe0\x00\x00\x00\x00", "item delimiter"),
        (b"\x40\x00\x30\xa7SQ\0\0\x08\0\0\0" + b"\x08\x00\x00\x01SH\x00\x00", "other than an item"),
        (b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff" + b"\x08\x00\x00\x01SH\x00\x00", "other than a fragment"),
        (b"\xe0\x7f\x10\x00UN\0\0\xff\xff\xff\xff" + b"\xfe\xff\xdd\xe0\0\0\0\0", "neither native"),
    ],
)
def test_a_malformed_structure_is_rejected(elements: bytes, reason: str) -> None:
    data = make_instance(PixelData=None, PatientComments="c" * 40)
    assert reason in reject(data + elements).message


@pytest.mark.parametrize(
    ("reader", "reason"),
    [("identity", "meta information cannot be parsed"), ("part10", "data set cannot be parsed")],
)
def test_what_pydicom_cannot_parse_is_rejected(monkeypatch: pytest.MonkeyPatch, reader: str, reason: str) -> None:
    def fail(*_: Any, **__: Any) -> Dataset:
        raise NotImplementedError("as pydicom does of values it does not know")

    monkeypatch.setattr(f"chalicelib.dicomweb.instance.{reader}.read_dataset", fail)
    assert reason in reject(make_instance()).message


def deflated(data_set: bytes) -> bytes:
    """A Part 10 file of this data set, deflated without the padding that pydicom adds."""
    file = make_instance(DeflatedExplicitVRLittleEndian, PixelData=None)
    end_of_meta = 144 + int.from_bytes(file[140:144], "little")
    # With fixed codes the last match ends in the last byte, so inflating may consume all input and still owe output.
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS, memLevel=9, strategy=zlib.Z_FIXED)
    return file[:end_of_meta] + deflater.compress(data_set) + deflater.flush()


@pytest.mark.parametrize("beyond", range(0, 600, 50))
def test_a_deflated_data_set_is_read_to_its_end_whatever_its_size(beyond: int) -> None:
    # Always the same UIDs: where a code ends within its byte depends on each of them.
    document = b"ab" * ((1024 * 1024 - 380 + beyond) // 2)
    plain = make_instance(PixelData=None, EncapsulatedDocument=document, **NAMES)
    data_set = plain[144 + int.from_bytes(plain[140:144], "little") :]
    with read_instance(BytesIO(deflated(data_set)), max_inflated_bytes=4 * LIMIT) as instance:
        assert instance.read_value(0x00420011) == document
