from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.encaps import encapsulate_extended, generate_frames
from pydicom.uid import (
    MPEG4HP41,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

from chalicelib.dicomweb.instance.encapsulated_frames import join_fragments
from chalicelib.dicomweb.instance.part10 import read_instance
from chalicelib.dicomweb.instance.pixel_data import find_frames
from chalicelib.errors import InstanceRejectedError
from tests.support.builders import make_compressed, make_instance, make_non_image


def frames_of(data: bytes) -> list[bytes]:
    with read_instance(BytesIO(data), max_inflated_bytes=1 << 20) as instance:
        frames = find_frames(instance)
        assert frames is not None
        result = [b"".join(frames.read(number)) for number in range(1, len(frames) + 1)]
        assert [frames.size(number) for number in range(1, len(frames) + 1)] == [len(frame) for frame in result]
        return result


def reject(data: bytes) -> str:
    with pytest.raises(InstanceRejectedError) as caught:
        frames_of(data)
    return caught.value.message


def test_native_frames_are_cuts_of_the_pixel_data() -> None:
    data = make_instance(NumberOfFrames=3, Rows=2, Columns=2, PixelData=bytes(range(24)))
    assert frames_of(data) == [bytes(range(8)), bytes(range(8, 16)), bytes(range(16, 24))]


@pytest.mark.parametrize("transfer_syntax_uid", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_a_frame_ends_where_its_pixels_end_and_padding_is_not_served(transfer_syntax_uid: str) -> None:
    data = make_instance(transfer_syntax_uid, Rows=1, Columns=3, BitsAllocated=8, PixelData=b"abc\0")
    assert frames_of(data) == [b"abc"]


def test_one_bit_frames_start_at_a_byte_of_their_own() -> None:
    # Two frames of 3x3 bits: 111111111 and 010101010, packed from the least significant bit.
    bits = 0b010101010_111111111
    data = make_instance(
        NumberOfFrames=2,
        Rows=3,
        Columns=3,
        BitsAllocated=1,
        BitsStored=1,
        HighBit=0,
        PixelData=bits.to_bytes(4, "little"),
    )
    assert frames_of(data) == [b"\xff\x01", b"\xaa\x00"]


def test_subsampled_chrominance_takes_two_samples_a_pixel() -> None:
    data = make_instance(
        SamplesPerPixel=3,
        PlanarConfiguration=0,
        PhotometricInterpretation="YBR_FULL_422",
        Rows=2,
        Columns=4,
        BitsAllocated=8,
        NumberOfFrames=2,
        PixelData=bytes(range(32)),
    )
    assert frames_of(data) == [bytes(range(16)), bytes(range(16, 32))]


def test_big_endian_words_are_swapped() -> None:
    assert frames_of(make_big_endian(16, "OW", bytes(range(8)))) == [bytes([1, 0, 3, 2, 5, 4, 7, 6])]


def test_big_endian_bytes_in_words_are_swapped_even_where_frames_cut_words() -> None:
    data = make_big_endian(8, "OW", bytes([2, 1, 4, 3, 6, 5]), Rows=1, Columns=3, NumberOfFrames=2)
    assert frames_of(data) == [bytes([1, 2, 3]), bytes([4, 5, 6])]


def test_big_endian_bytes_are_not_swapped() -> None:
    assert frames_of(make_big_endian(8, "OB", bytes([1, 2, 3, 4]))) == [bytes([1, 2, 3, 4])]


def make_big_endian(bits: int, vr: str, pixel_data: bytes, **attributes: Any) -> bytes:
    """Writes the value as given: pydicom does not swap pixel data."""
    values = {"Rows": 2, "Columns": 2, **attributes}
    data = make_instance(ExplicitVRBigEndian, BitsAllocated=bits, PixelData=pixel_data, **values)
    header = b"\x7f\xe0\x00\x10"
    position = data.index(header) + 4
    return data[:position] + vr.encode() + data[position + 2 :]


def test_float_pixel_data_is_cut_by_its_own_word_size() -> None:
    data = make_instance(PixelData=None, BitsAllocated=32, FloatPixelData=bytes(64))
    assert frames_of(data) == [bytes(64)]
    data = make_instance(PixelData=None, BitsAllocated=64, DoubleFloatPixelData=bytes(128))
    assert frames_of(data) == [bytes(128)]


def test_an_instance_without_pixel_data_has_no_frames() -> None:
    with read_instance(BytesIO(make_non_image()), max_inflated_bytes=1 << 20) as instance:
        assert find_frames(instance) is None


@pytest.mark.parametrize("fragments", [1, 3])
def test_fragments_are_joined_to_the_frames_that_the_offset_table_says(fragments: int) -> None:
    frames = [b"\xff\xd8" + bytes([n]) * 20 + b"\xff\xd9" for n in range(4)]
    data = make_compressed(JPEGBaseline8Bit, frames, fragments=fragments)
    assert frames_of(data) == frames


def test_without_an_offset_table_images_end_at_their_end_marker() -> None:
    frames = [b"\xff\xd8" + bytes([n]) * 20 + b"\xff\xd9" for n in range(3)]
    assert frames_of(make_compressed(JPEG2000Lossless, frames, fragments=2, has_bot=False)) == frames


def test_the_extended_offset_table_is_followed() -> None:
    frames = [bytes([n]) * 10 for n in range(3)]
    pixel_data, offsets, lengths = encapsulate_extended(frames)
    data = make_instance(
        RLELossless,
        NumberOfFrames=3,
        PixelData=pixel_data,
        ExtendedOffsetTable=offsets,
        ExtendedOffsetTableLengths=lengths,
    )
    assert frames_of(data) == frames


def test_a_video_is_one_frame_whatever_the_number_of_frames_says() -> None:
    stream = bytes(range(256)) * 8
    data = make_compressed(MPEG4HP41, [stream], fragments=4, NumberOfFrames=30)
    assert frames_of(data) == [stream]


@given(
    sizes=st.lists(st.integers(2, 60), min_size=1, max_size=6),
    fragments=st.integers(1, 3),
    has_bot=st.booleans(),
)
def test_frames_are_those_that_pydicom_finds(sizes: list[int], fragments: int, has_bot: bool) -> None:
    # Long enough that the end marker is not cut in two by a fragment's border.
    frames = [b"\xff\xd8" + bytes(12 * size) + b"\xff\xd9" for size in sizes]
    data = make_compressed(JPEGBaseline8Bit, frames, fragments=fragments, has_bot=has_bot)
    expected = list(generate_frames(dcmread(BytesIO(data)).PixelData, number_of_frames=len(frames)))
    assert frames_of(data) == expected


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"NumberOfFrames": -1}, "NumberOfFrames is negative"),
        ({"NumberOfFrames": 2}, "shorter than the declared frames"),
        ({"NumberOfFrames": 2_000_000_000}, "shorter than the declared frames"),
        ({"Rows": None}, "Rows is missing"),
        ({"Rows": 0}, "Rows is not positive"),
        ({"BitsAllocated": 0}, "BitsAllocated is not positive"),
    ],
)
def test_pixel_data_that_does_not_hold_its_frames_is_rejected(attributes: dict[str, Any], reason: str) -> None:
    assert reason in reject(make_instance(**attributes))


def test_a_number_of_frames_that_is_no_number_is_rejected() -> None:
    data = make_instance(NumberOfFrames="7", PixelData=bytes(32 * 7))
    assert "is not a number" in reject(data.replace(b"IS\x02\x007 ", b"IS\x02\x007E"))


def test_zero_frames_are_read_as_one() -> None:
    assert len(frames_of(make_instance(NumberOfFrames=0))) == 1


def test_longer_pixel_data_yields_the_declared_frames_only() -> None:
    assert frames_of(make_instance(PixelData=bytes(1000))) == [bytes(32)]


def test_fewer_fragments_than_frames_are_rejected() -> None:
    data = make_compressed(JPEGBaseline8Bit, [b"\xff\xd8\xff\xd9"] * 2, NumberOfFrames=5)
    assert "declared number of frames" in reject(data)


def test_native_pixels_under_a_compressed_transfer_syntax_are_rejected() -> None:
    data = make_instance()
    assert "not encoded as its transfer syntax requires" in reject(
        data.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0")
    )


def test_many_empty_fragments_are_read_in_linear_time() -> None:
    data = make_compressed(RLELossless, [b"data"])
    fragment = b"\xfe\xff\x00\xe0\x04\x00\x00\x00data"
    position = data.index(fragment)
    empty = b"\xfe\xff\x00\xe0\x00\x00\x00\x00" * 100_000
    assert frames_of(data[:position] + empty + data[position:]) == [b"data"]


def test_fragments_of_an_icon_are_joined_without_their_item_tags() -> None:
    data = b"\xfe\xff\x00\xe0\x00\x00\x00\x00" + b"\xfe\xff\x00\xe0\x02\x00\x00\x00ab" * 2 + b"\xfe\xff\xdd\xe0\0\0\0\0"
    assert join_fragments(data) == b"abab"


def test_encapsulated_pixel_data_without_any_item_is_rejected() -> None:
    data = make_compressed(RLELossless, [b"data"])
    start = data.index(b"\xe0\x7f\x10\x00OB") + 12
    assert "no offset table" in reject(data[:start] + b"\xfe\xff\xdd\xe0\0\0\0\0")
