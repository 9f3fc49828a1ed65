"""The structure of encoded data sets, byte by byte (PS3.5 §7)."""

from io import BytesIO
from struct import pack

import pytest

from chalicelib.dicomweb.instance.structure import ElementLocation, locate_elements
from chalicelib.errors import InstanceRejectedError

MODALITY = b"\x08\x00\x60\x00CS\x02\x00CT"
UNDEFINED = b"\xff\xff\xff\xff"
ITEM = b"\xfe\xff\x00\xe0"
ITEM_END = b"\xfe\xff\x0d\xe0" + bytes(4)
SEQUENCE_END = b"\xfe\xff\xdd\xe0" + bytes(4)
SEQUENCE = b"\x40\x00\x30\xa7SQ\0\0"
PIXEL_DATA = b"\xe0\x7f\x10\x00OB\0\0" + UNDEFINED
FRAGMENTS = PIXEL_DATA + ITEM + pack("<L", 2) + b"ab" + SEQUENCE_END


def locate(data: bytes, *, implicit_vr: bool = False, little_endian: bool = True) -> dict[int, ElementLocation]:
    return locate_elements(BytesIO(data), 0, len(data), implicit_vr=implicit_vr, little_endian=little_endian)


@pytest.mark.parametrize(
    ("data", "options", "expected"),
    [
        (b"", {}, {}),
        (MODALITY, {}, {0x00080060: ElementLocation("CS", 8, 2, 10)}),
        (b"\x00\x08\x00\x60CS\x00\x02CT", {"little_endian": False}, {0x00080060: ElementLocation("CS", 8, 2, 10)}),
        (b"\x08\x00\x60\x00\x02\0\0\0CT", {"implicit_vr": True}, {0x00080060: ElementLocation(None, 8, 2, 10)}),
        # Length fields of 32 bits.
        (b"\x42\x00\x11\x00OB\0\0\x02\0\0\0ab", {}, {0x00420011: ElementLocation("OB", 12, 2, 14)}),
        (SEQUENCE + pack("<L", 8) + ITEM + bytes(4), {}, {0x0040A730: ElementLocation("SQ", 12, 8, 20)}),
        # Of undefined length: the end of fragments is known, that of a sequence of items is not.
        (SEQUENCE + UNDEFINED + SEQUENCE_END, {}, {0x0040A730: ElementLocation("SQ", 12, None, None)}),
        (FRAGMENTS, {}, {0x7FE00010: ElementLocation("OB", 12, None, 30)}),
    ],
)
def test_top_level_values_are_located(data: bytes, options: dict[str, bool], expected: dict) -> None:
    assert locate(data, **options) == expected


def test_elements_inside_items_are_checked_and_not_listed() -> None:
    item = ITEM + UNDEFINED + MODALITY + ITEM_END
    located = locate(SEQUENCE + UNDEFINED + item + item + SEQUENCE_END + MODALITY.replace(b"\x60", b"\x61", 1))
    assert list(located) == [0x0040A730, 0x00080061]


def test_only_the_range_is_read() -> None:
    file = BytesIO(b"junk" + MODALITY + b"junk")
    located = locate_elements(file, 4, 14, implicit_vr=False, little_endian=True)
    assert located == {0x00080060: ElementLocation("CS", 12, 2, 14)}


def test_of_an_element_that_occurs_twice_the_last_counts() -> None:
    assert locate(MODALITY + MODALITY) == {0x00080060: ElementLocation("CS", 18, 2, 20)}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (MODALITY[:6], "the data set ends within an element"),
        (MODALITY[:-1], "the value of element (0008,0060) is truncated"),
        (b"\x08\x00\x60\x00??\x02\x00CT", "element (0008,0060) has no valid VR"),
        (ITEM_END, "an item delimiter stands where an element is expected"),
        (SEQUENCE + UNDEFINED, "the data set ends within an element"),
        (SEQUENCE + pack("<L", 8) + MODALITY, "a sequence contains something other than an item"),
        (SEQUENCE + pack("<L", 8) + ITEM + pack("<L", 4), "an item is longer than the sequence that holds it"),
        (PIXEL_DATA + MODALITY, "encapsulated pixel data contains something other than a fragment"),
        (PIXEL_DATA + ITEM + UNDEFINED, "encapsulated pixel data contains something other than a fragment"),
        (PIXEL_DATA + ITEM + pack("<L", 3) + b"ab", "a fragment of the pixel data is truncated"),
        ((SEQUENCE + UNDEFINED + ITEM + UNDEFINED) * 65, "sequences are nested deeper than 64"),
        (
            b"\x08\x00\x18\x00UI\x02\x00" + b"1\0" + b"\x08\x00\x18\x00UI\x02\x00" + b"2\0",
            "an identifying element occurs twice",
        ),
    ],
)
def test_a_data_set_that_is_malformed_is_rejected(data: bytes, message: str) -> None:
    with pytest.raises(InstanceRejectedError) as caught:
        locate(data)
    assert caught.value.message == message
