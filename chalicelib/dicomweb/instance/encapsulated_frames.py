"""Frames of encapsulated pixel data: runs of fragments, found by offset tables or by the fragments themselves."""

from collections.abc import Iterator
from itertools import pairwise
from struct import Struct, iter_unpack
from typing import BinaryIO, NoReturn

from chalicelib.dicomweb.instance.byte_range import ByteRange, read_range
from chalicelib.dicomweb.instance.image_pixel import number_of_frames
from chalicelib.dicomweb.instance.part10 import Instance
from chalicelib.dicomweb.instance.structure import ElementLocation
from chalicelib.errors import InstanceRejectedError

_EXTENDED_OFFSET_TABLE = 0x7FE00001
_ITEM_HEADER = Struct("<HHL")
_SEQUENCE_END = (0xFFFE, 0xE0DD)
# Markers of JPEG and JPEG-LS, and of the codestream of JPEG 2000.
_STARTS_OF_IMAGE = (b"\xff\xd8", b"\xff\x4f")
_END_OF_IMAGE = b"\xff\xd9"


class EncapsulatedFrames:
    """Frames of encapsulated pixel data; each consists of one or more fragments (PS3.5 §A.4).

    Raises
    ------
    InstanceRejectedError
        NumberOfFrames is not valid, or the fragments cannot be assigned to that many frames.
    """

    def __init__(self, instance: Instance, location: ElementLocation) -> None:
        self._file = instance.file
        self.media_type = instance.transfer_syntax.frame_media_type
        self.transfer_syntax_uid = instance.transfer_syntax_uid
        count = 1 if instance.transfer_syntax.video else number_of_frames(instance)
        table, fragments = _fragments(instance.file, location.offset)
        if _EXTENDED_OFFSET_TABLE in instance.elements:
            extended = instance.read_value(_EXTENDED_OFFSET_TABLE)
            table = [offset for (offset,) in iter_unpack("<Q", extended[: len(extended) // 8 * 8])]
        self._frames = _group(instance.file, fragments, table, count)

    def __len__(self) -> int:
        return len(self._frames)

    def size(self, frame_number: int) -> int:
        """Size in bytes of the frame with this 1-based number."""
        return sum(fragment.length for fragment in self._frames[frame_number - 1])

    def read(self, frame_number: int) -> Iterator[bytes]:
        """Yield the frame with this 1-based number in pieces of at most 1 MiB."""
        for fragment in self._frames[frame_number - 1]:
            yield from read_range(self._file, fragment)


def join_fragments(value: bytes) -> bytes:
    """Return encapsulated pixel data, e.g. of an icon, without item tags and offset table (PS3.5 §A.4)."""
    return b"".join(value[offset + 8 : offset + 8 + length] for offset, length in _items_of(value)[1:])


def _items_of(value: bytes) -> list[tuple[int, int]]:
    items, offset = [], 0
    while offset + 8 <= len(value):
        group, element, length = _ITEM_HEADER.unpack_from(value, offset)
        if (group, element) == _SEQUENCE_END:
            break
        items.append((offset, length))
        offset += 8 + length
    return items


def _fragments(file: BinaryIO, offset: int) -> tuple[list[int], list[ByteRange]]:
    """Return the entries of the Basic Offset Table, and the fragments after it."""
    items = []
    while True:
        file.seek(offset)
        group, element, length = _ITEM_HEADER.unpack(file.read(_ITEM_HEADER.size))
        if (group, element) == _SEQUENCE_END:
            break
        items.append(ByteRange(offset + _ITEM_HEADER.size, length))
        offset += _ITEM_HEADER.size + length
    if not items:
        raise InstanceRejectedError("the encapsulated pixel data has no offset table")
    file.seek(items[0].offset)
    table = file.read(items[0].length // 4 * 4)
    return [entry for (entry,) in iter_unpack("<L", table)], items[1:]


def _group(file: BinaryIO, fragments: list[ByteRange], table: list[int], count: int) -> list[list[ByteRange]]:
    """Assign fragments to frames: one each, else by the offset table, else by the markers of the images."""
    filled = [fragment for fragment in fragments if fragment.length]  # an empty one belongs to no frame
    if count == 1:
        return [filled] if fragments else _refuse()
    if len(filled) == count:
        return [[fragment] for fragment in filled]
    for frames in (_by_table(fragments, table), _by_start_of_image(file, filled), _by_end_of_image(file, filled)):
        if len(frames) == count:
            return frames
    return _refuse()


def _refuse() -> NoReturn:
    raise InstanceRejectedError("the encapsulated pixel data does not hold the declared number of frames")


def _by_table(fragments: list[ByteRange], table: list[int]) -> list[list[ByteRange]]:
    """Assign fragments by offsets, which count from the item tag of the first fragment (PS3.5 §A.4).

    A table that contradicts itself or the fragments is not used: it would shift frames, and nobody would notice.
    """
    starts = {fragment.offset - fragments[0].offset: index for index, fragment in enumerate(fragments)}
    if not table or table[0] != 0 or not starts.keys() >= set(table):
        return []
    cuts = [*(starts[offset] for offset in table), len(fragments)]
    frames = [[fragment for fragment in fragments[start:end] if fragment.length] for start, end in pairwise(cuts)]
    return frames if all(frames) else []  # where the table does not rise, a frame is empty, too


def _by_start_of_image(file: BinaryIO, fragments: list[ByteRange]) -> list[list[ByteRange]]:
    frames: list[list[ByteRange]] = []
    for fragment in fragments:
        file.seek(fragment.offset)
        if file.read(2) in _STARTS_OF_IMAGE or not frames:
            frames.append([])
        frames[-1].append(fragment)
    return frames


def _by_end_of_image(file: BinaryIO, fragments: list[ByteRange]) -> list[list[ByteRange]]:
    frames: list[list[ByteRange]] = []
    frame: list[ByteRange] = []
    for fragment in fragments:
        frame.append(fragment)
        # Only padding follows the marker.
        tail = min(fragment.length, 10)
        file.seek(fragment.offset + fragment.length - tail)
        if _END_OF_IMAGE in file.read(tail):
            frames.append(frame)
            frame = []
    return frames
