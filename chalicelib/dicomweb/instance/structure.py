"""Checks the structure of an encoded data set before other code relies on it; reads no values.

pydicom forgives what a server must not: a value cut off by the end of the file, an item longer than its
sequence, a sequence never closed. Served later, such an instance would be incomplete without a sign.

Strategy: one pass over the element headers with an explicit stack (a hostile file nests thousands deep),
reading only headers: values are skipped, so the cost follows the number of elements, not the size.
"""

from dataclasses import dataclass
from struct import Struct
from typing import BinaryIO

from pydicom.datadict import dictionary_VR

from chalicelib.errors import InstanceRejectedError

UNDEFINED_LENGTH = 0xFFFFFFFF

PIXEL_DATA = 0x7FE00010
FLOAT_PIXEL_DATA = 0x7FE00008
DOUBLE_FLOAT_PIXEL_DATA = 0x7FE00009
PIXEL_DATA_TAGS = (PIXEL_DATA, FLOAT_PIXEL_DATA, DOUBLE_FLOAT_PIXEL_DATA)

MAX_DEPTH = 64

_ITEM = 0xFFFEE000
_ITEM_END = 0xFFFEE00D
_SEQUENCE_END = 0xFFFEE0DD

# PS3.5 Table 6.2-1; the long ones have a 32-bit length field in Explicit VR (PS3.5 §7.1.2).
_LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())


@dataclass(frozen=True, slots=True)
class ElementLocation:
    """Location of the value of a top-level element, in bytes; `length` is None if it is undefined.

    `end` is where the next element begins; None for a sequence of undefined length. `vr` is None if the
    encoding is implicit.
    """

    vr: str | None
    offset: int
    length: int | None
    end: int | None


@dataclass(slots=True)
class _OpenElement:
    """A sequence or item that has begun: where it ends (None: at a delimiter), and the encoding of its elements."""

    end: int | None
    is_sequence: bool
    implicit: bool


def locate_elements(
    file: BinaryIO, start: int, end: int, *, implicit_vr: bool, little_endian: bool
) -> dict[int, ElementLocation]:
    """Check the data set in ``[start, end)`` of `file` and return where its top-level values lie.

    Returns
    -------
    dict
        Locations by tag, e.g. ``0x7FE00010``; the last one if an element occurs twice.

    Raises
    ------
    InstanceRejectedError
        The data set is truncated, malformed, nested too deep, or holds one of the identifying
        elements twice.
    """
    return _Scanner(file, start, end, implicit_vr, little_endian).scan()


class _Scanner:
    """One pass over one data set."""

    # SOP Class, SOP Instance, Study Instance and Series Instance UID. A second one would give the instance
    # two identities.
    _IDENTIFYING = frozenset((0x00080016, 0x00080018, 0x0020000D, 0x0020000E))

    def __init__(self, file: BinaryIO, start: int, end: int, implicit_vr: bool, little_endian: bool) -> None:
        order = "<" if little_endian else ">"
        self._read, self._seek = file.read, file.seek
        self._position, self._end = start, end
        self._tag_and_4 = Struct(f"{order}HH4s").unpack
        self._uint16 = Struct(f"{order}H").unpack
        self._uint32 = Struct(f"{order}L").unpack
        self._implicit = implicit_vr
        self._stack: list[_OpenElement] = []
        self._elements: dict[int, ElementLocation] = {}
        file.seek(start)

    def scan(self) -> dict[int, ElementLocation]:
        while True:
            self._close_defined_lengths()
            if self._position >= self._end and not self._stack:
                return self._elements
            self._step()

    def _close_defined_lengths(self) -> None:
        stack = self._stack
        while stack and (end := stack[-1].end) is not None and self._position >= end:
            if self._position > end:
                raise InstanceRejectedError("an element runs past the end of its sequence")
            stack.pop()

    def _step(self) -> None:
        group, element, rest = self._tag_and_4(self._take(8))
        tag = group << 16 | element
        stack = self._stack
        if stack and stack[-1].is_sequence:
            self._step_in_sequence(tag, self._uint32(rest)[0])
            return
        if tag == _ITEM_END and stack and stack[-1].end is None:
            stack.pop()
            return
        if group == 0xFFFE:
            raise InstanceRejectedError("an item delimiter stands where an element is expected")
        implicit = stack[-1].implicit if stack else self._implicit
        vr, length, implicit = self._vr_and_length(tag, rest, implicit)
        if not stack and tag in self._IDENTIFYING and tag in self._elements:
            raise InstanceRejectedError("an identifying element occurs twice")
        offset, is_top = self._position, not stack
        self._enter_or_skip(tag, vr, length, implicit)
        if is_top and length != UNDEFINED_LENGTH:
            self._elements[tag] = ElementLocation(vr, offset, length, offset + length)
        elif is_top:
            self._elements[tag] = ElementLocation(vr, offset, None, None if stack else self._position)

    def _step_in_sequence(self, tag: int, length: int) -> None:
        sequence = self._stack[-1]
        if tag == _SEQUENCE_END and sequence.end is None:
            self._stack.pop()
        elif tag == _ITEM:
            self._push(length, is_sequence=False, implicit=sequence.implicit)
        else:
            raise InstanceRejectedError("a sequence contains something other than an item")

    def _vr_and_length(self, tag: int, rest: bytes, implicit: bool) -> tuple[str | None, int, bool]:
        if implicit:
            return None, self._uint32(rest)[0], True
        vr = rest[:2]
        if vr in _SHORT_VRS:
            return vr.decode(), self._uint16(rest[2:])[0], False
        if vr in _LONG_VRS:
            return vr.decode(), self._uint32(self._take(4))[0], False
        if self._stack:
            # Some writers put implicit VR items into explicit VR sequences; pydicom reads them so.
            return None, self._uint32(rest)[0], True
        raise InstanceRejectedError(f"element ({tag >> 16:04X},{tag & 0xFFFF:04X}) has no valid VR")

    def _enter_or_skip(self, tag: int, vr: str | None, length: int, implicit: bool) -> None:
        if length == UNDEFINED_LENGTH:
            if vr in ("OB", "OW"):
                self._skip_fragments()
                return
            # UN of undefined length is a sequence in Implicit VR (PS3.5 §6.2.2 note 2).
            self._push(length, is_sequence=True, implicit=implicit or vr == "UN")
        elif vr == "SQ" or (vr is None and _is_sequence(tag)):
            self._push(length, is_sequence=True, implicit=implicit)
        else:
            self._position += length
            if self._position > self._limit():
                raise InstanceRejectedError(f"the value of element ({tag >> 16:04X},{tag & 0xFFFF:04X}) is truncated")
            self._seek(self._position)

    def _skip_fragments(self) -> None:
        """Skip encapsulated pixel data: items of defined length up to the delimiter (PS3.5 §A.4)."""
        while True:
            group, element, rest = self._tag_and_4(self._take(8))
            tag, length = group << 16 | element, self._uint32(rest)[0]
            if tag == _SEQUENCE_END:
                return
            if tag != _ITEM or length == UNDEFINED_LENGTH:
                raise InstanceRejectedError("encapsulated pixel data contains something other than a fragment")
            self._position += length
            if self._position > self._end:
                raise InstanceRejectedError("a fragment of the pixel data is truncated")
            self._seek(self._position)

    def _push(self, length: int, *, is_sequence: bool, implicit: bool) -> None:
        if len(self._stack) >= 2 * MAX_DEPTH:
            raise InstanceRejectedError(f"sequences are nested deeper than {MAX_DEPTH}")
        end = None if length == UNDEFINED_LENGTH else self._position + length
        if end is not None and end > self._limit():
            raise InstanceRejectedError("an item is longer than the sequence that holds it")
        self._stack.append(_OpenElement(end, is_sequence, implicit))

    def _limit(self) -> int:
        """End of the innermost element of defined length."""
        return next((opened.end for opened in reversed(self._stack) if opened.end is not None), self._end)

    def _take(self, count: int) -> bytes:
        if self._position + count > self._end:
            raise InstanceRejectedError("the data set ends within an element")
        self._position += count
        return self._read(count)


def _is_sequence(tag: int) -> bool:
    try:
        return dictionary_VR(tag) == "SQ"
    except KeyError:
        return False
