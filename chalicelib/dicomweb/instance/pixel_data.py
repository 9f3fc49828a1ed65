"""The frames of an instance's pixel data: their locations in the file, and their bytes as they are served.

Encapsulated frames are served in the transfer syntax received, without item tags and offset tables. Native
frames are served as Explicit VR Little Endian (PS3.18 §8.7.3); a bit-packed frame begins at a byte boundary.

Strategy: all frames are located from headers and offset tables before the first one is read. An instance
with missing frames is therefore refused before any of its objects is written, and memory holds one frame at
a time.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from struct import Struct, iter_unpack
from typing import BinaryIO

from chalicelib.dicomweb.instance.part10 import Instance
from chalicelib.dicomweb.instance.structure import (
    DOUBLE_FLOAT_PIXEL_DATA,
    FLOAT_PIXEL_DATA,
    PIXEL_DATA,
    PIXEL_DATA_TAGS,
    ElementLocation,
)
from chalicelib.dicomweb.instance.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from chalicelib.dicomweb.media_types import OCTET_STREAM
from chalicelib.errors import FailureReason, InstanceRejectedError

_EXTENDED_OFFSET_TABLE = 0x7FE00001
_ITEM_HEADER = Struct("<HHL")
_SEQUENCE_END = (0xFFFE, 0xE0DD)
_END_OF_IMAGE = b"\xff\xd9"
_READ_BYTES = 1024 * 1024

# Samples stored per pixel if chrominance is subsampled (PS3.3 §C.7.6.3.1.2); SamplesPerPixel is 3.
_SUBSAMPLED = {"YBR_FULL_422": 2, "YBR_PARTIAL_422": 2}


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A range of bytes in a file."""

    offset: int
    length: int


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
        count = 1 if instance.transfer_syntax.video else _number_of_frames(instance)
        table, fragments = _fragments(instance.file, location.offset)
        if _EXTENDED_OFFSET_TABLE in instance.elements:
            table = [offset for (offset,) in iter_unpack("<Q", instance.read_value(_EXTENDED_OFFSET_TABLE))]
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


class NativeFrames:
    """Frames of native pixel data: equal parts of one value, not always at byte boundaries.

    Raises
    ------
    InstanceRejectedError
        The value is shorter than the declared frames, or an attribute that gives their size is not valid.
    """

    media_type = OCTET_STREAM
    transfer_syntax_uid = EXPLICIT_VR_LITTLE_ENDIAN

    def __init__(self, instance: Instance, tag: int, location: ElementLocation) -> None:
        self._file = instance.file
        self._value = ByteRange(location.offset, location.length or 0)
        self._count = _number_of_frames(instance)
        bits_allocated = _bits_allocated(instance, tag)
        self._frame_bits = _samples_per_frame(instance) * bits_allocated
        self._swapped_bytes = 1
        if not instance.transfer_syntax.little_endian:
            # With VR OW, 8 bits and fewer are packed into 16-bit words, which are swapped (PS3.5 §8.2).
            words = 2 if location.vr == "OW" else 1
            self._swapped_bytes = max(words, bits_allocated // 8)
        if self._frame_bits * self._count > self._value.length * 8:
            raise InstanceRejectedError("the pixel data is shorter than the declared frames")

    def __len__(self) -> int:
        return self._count

    def size(self, frame_number: int) -> int:
        """Size in bytes of each frame."""
        return (self._frame_bits + 7) // 8

    def read(self, frame_number: int) -> Iterator[bytes]:
        """Yield the frame with this 1-based number: in pieces of at most 1 MiB, or whole if it must be rearranged."""
        first_bit = (frame_number - 1) * self._frame_bits
        if first_bit % 8 == 0 and self._frame_bits % 8 == 0 and self._swapped_bytes == 1:
            yield from read_range(self._file, ByteRange(self._value.offset + first_bit // 8, self._frame_bits // 8))
        else:
            yield self._read_bits(first_bit)

    def _read_bits(self, first_bit: int) -> bytes:
        # Read all words that overlap the frame, so that they can be swapped.
        word = self._swapped_bytes
        start = first_bit // 8 // word * word
        end = -(-(first_bit + self._frame_bits) // (8 * word)) * word
        self._file.seek(self._value.offset + start)
        data = swap_words(self._file.read(min(end, self._value.length) - start), word)
        shift = first_bit - start * 8
        if shift % 8 == 0 and self._frame_bits % 8 == 0:
            return data[shift // 8 : (shift + self._frame_bits) // 8]
        # Bits fill a byte from the least significant one (PS3.5 §8.2), and so do those of a little-endian integer.
        bits = int.from_bytes(data, "little") >> shift & ((1 << self._frame_bits) - 1)
        return bits.to_bytes(self.size(1), "little")


Frames = EncapsulatedFrames | NativeFrames


def find_frames(instance: Instance) -> Frames | None:
    """Locate the frames of an instance; return None if it has no pixel data.

    Raises
    ------
    InstanceRejectedError
        The pixel data does not contain the frames that the data set declares.
    """
    for tag in PIXEL_DATA_TAGS:
        location = instance.elements.get(tag)
        if location is None or location.length == 0:
            continue
        encapsulated = location.length is None
        if encapsulated != (instance.transfer_syntax.encapsulated and tag == PIXEL_DATA):
            raise InstanceRejectedError("the pixel data is not encoded as its transfer syntax requires")
        return EncapsulatedFrames(instance, location) if encapsulated else NativeFrames(instance, tag, location)
    return None


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


# --- encapsulated -----------------------------------------------------------------------------


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
    """Assign fragments to frames: one each, else by the offset table, else by the ends of JPEG images."""
    if count == 1:
        frames = [fragments] if fragments else []
    elif len(fragments) == count:
        frames = [[fragment] for fragment in fragments]
    elif len(table) == count:
        frames = _group_by_table(fragments, table)
    else:
        frames = _group_by_end_of_image(file, fragments)
    if len(frames) != count:
        raise InstanceRejectedError("the encapsulated pixel data does not hold the declared number of frames")
    return frames


def _group_by_table(fragments: list[ByteRange], table: list[int]) -> list[list[ByteRange]]:
    """Assign fragments by offsets, which count from the item tag of the first fragment (PS3.5 §A.4)."""
    first = fragments[0].offset if fragments else 0
    starts = [fragment.offset - first for fragment in fragments]
    cuts = [bisect_right(starts, offset) - 1 for offset in table] + [len(fragments)]
    frames = [fragments[start:end] for start, end in pairwise(cuts)]
    return [frame for frame in frames if frame]


def _group_by_end_of_image(file: BinaryIO, fragments: list[ByteRange]) -> list[list[ByteRange]]:
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


# --- native -----------------------------------------------------------------------------------


def _samples_per_frame(instance: Instance) -> int:
    """Samples stored per frame; fewer than declared if chrominance is subsampled."""
    samples = _positive(instance, "SamplesPerPixel", 1)
    photometric = str(instance.dataset.get("PhotometricInterpretation") or "").strip()
    if samples == 3:
        samples = _SUBSAMPLED.get(photometric, samples)
    return _positive(instance, "Rows") * _positive(instance, "Columns") * samples


def _bits_allocated(instance: Instance, tag: int) -> int:
    if tag == FLOAT_PIXEL_DATA:
        return 32
    if tag == DOUBLE_FLOAT_PIXEL_DATA:
        return 64
    return _positive(instance, "BitsAllocated")


def _number_of_frames(instance: Instance) -> int:
    # Some devices write 0 for a single frame.
    return _integer(instance, "NumberOfFrames", 1) or 1


def _positive(instance: Instance, keyword: str, default: int | None = None) -> int:
    value = _integer(instance, keyword, default)
    if value <= 0:
        raise InstanceRejectedError(f"{keyword} is not positive", FailureReason.DATA_SET_DOES_NOT_MATCH_SOP_CLASS)
    return value


def _integer(instance: Instance, keyword: str, default: int | None = None) -> int:
    try:
        value = instance.dataset.get(keyword)
        if value is None or value == "":
            if default is None:
                raise InstanceRejectedError(f"{keyword} is missing", FailureReason.DATA_SET_DOES_NOT_MATCH_SOP_CLASS)
            return default
        return int(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise InstanceRejectedError(f"{keyword} is not a number") from error


def read_range(file: BinaryIO, part: ByteRange) -> Iterator[bytes]:
    """Yield the bytes of a range in pieces of at most 1 MiB."""
    for offset in range(0, part.length, _READ_BYTES):
        # Seek before each piece: the consumer may read elsewhere in between.
        file.seek(part.offset + offset)
        yield file.read(min(_READ_BYTES, part.length - offset))


def swap_words(data: bytes, word: int) -> bytes:
    """Convert a big-endian value of `word`-byte numbers to little-endian; drop an incomplete last number."""
    if word == 1:
        return data
    swapped = bytearray(len(data) // word * word)
    for position in range(word):
        swapped[position::word] = data[word - 1 - position : len(swapped) : word]
    return bytes(swapped)
