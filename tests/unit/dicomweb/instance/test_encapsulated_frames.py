"""Which fragments make a frame, where offset tables are right, wrong or missing."""

import struct
from io import BytesIO

import pytest
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

from chalicelib.dicomweb.instance.part10 import read_instance
from chalicelib.dicomweb.instance.pixel_data import find_frames
from chalicelib.errors import InstanceRejectedError
from tests.support.builders import make_instance

JPEG = [b"\xff\xd8" + bytes([number]) * 20 + b"\xff\xd9" for number in range(3)]
HALVES = [half for frame in JPEG for half in (frame[:12], frame[12:])]
# Each item has a head of 8 bytes; the halves have 12 bytes.
OFFSETS = [0, 40, 80]


def item(content: bytes) -> bytes:
    return struct.pack("<HHL", 0xFFFE, 0xE000, len(content)) + content


def frames_of(
    fragments: list[bytes], offsets: list[int], *, syntax: str = JPEGBaseline8Bit, number_of_frames: int = 3
) -> list[bytes]:
    table = struct.pack(f"<{len(offsets)}L", *offsets)
    pixel_data = b"".join(item(content) for content in [table, *fragments])
    data = make_instance(syntax, NumberOfFrames=number_of_frames, PixelData=pixel_data)
    with read_instance(BytesIO(data), max_inflated_bytes=1 << 20) as instance:
        frames = find_frames(instance)
        assert frames is not None
        return [b"".join(frames.read(number)) for number in range(1, len(frames) + 1)]


def test_a_right_table_is_followed() -> None:
    assert frames_of(HALVES, OFFSETS) == JPEG
    assert frames_of([b"a", b"b", b"c", b"d"], [0, 9 * 1, 9 * 2], syntax=RLELossless) == [b"a", b"b", b"cd"]


@pytest.mark.parametrize(
    "offsets",
    [
        [8, 48, 88],  # counted from somewhere else
        [20, 60, 100],  # each frame would begin at its second half
        [0, 80, 40],
        [0, 0, 40],
        [0, 41, 80],  # inside a fragment
        [0, 40, 4000],
        [0, 40],
        [],
    ],
)
def test_with_a_wrong_table_images_are_told_by_their_markers(offsets: list[int]) -> None:
    assert frames_of(HALVES, offsets) == JPEG


@pytest.mark.parametrize("offsets", [[9, 18, 27], [0, 9, 9], [0, 5, 9], [0, 9], []])
def test_with_a_wrong_table_and_without_markers_an_instance_is_refused(offsets: list[int]) -> None:
    with pytest.raises(InstanceRejectedError, match="declared number of frames"):
        frames_of([b"a", b"b", b"c", b"d"], offsets, syntax=RLELossless)


@pytest.mark.parametrize("position", [0, 1, 2, 3])
def test_an_empty_fragment_is_no_frame_and_no_part_of_one(position: int) -> None:
    fragments = [b"ab", b"cd", b"ef"]
    fragments.insert(position, b"")
    assert frames_of(fragments, [], syntax=RLELossless) == [b"ab", b"cd", b"ef"]


def test_a_table_counts_empty_fragments() -> None:
    assert frames_of([b"", b"a", b"b", b"c", b"d"], [0, 17, 26], syntax=RLELossless) == [b"a", b"b", b"cd"]


def test_a_table_that_gives_a_frame_only_an_empty_fragment_is_wrong() -> None:
    with pytest.raises(InstanceRejectedError):
        frames_of([b"a", b"", b"b", b"c", b"d"], [0, 9, 17], syntax=RLELossless)


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEG2000Lossless])
def test_padding_behind_an_image_of_several_fragments_belongs_to_it(syntax: str) -> None:
    start = b"\xff\x4f\xff\x51" if syntax == JPEG2000Lossless else b"\xff\xd8"
    fragments = [start + b"aaaa", b"bbbb\xff\xd9" + bytes(40)] * 3
    assert frames_of(fragments, [], syntax=syntax) == [b"".join(fragments[:2])] * 3


def test_one_frame_has_all_fragments_also_if_they_are_empty() -> None:
    assert frames_of(HALVES, [], number_of_frames=1) == [b"".join(JPEG)]
    assert frames_of([b"", b""], [], number_of_frames=1) == [b""]


def test_one_frame_needs_a_fragment() -> None:
    with pytest.raises(InstanceRejectedError, match="declared number of frames"):
        frames_of([], [], number_of_frames=1)
