"""Frames of native pixel data: equal parts of one value, which need not begin at a byte boundary."""

from collections.abc import Iterator

from chalicelib.dicomweb.instance.byte_range import ByteRange, read_range, swap_words
from chalicelib.dicomweb.instance.image_pixel import number_of_frames, positive_integer
from chalicelib.dicomweb.instance.part10 import Instance
from chalicelib.dicomweb.instance.structure import DOUBLE_FLOAT_PIXEL_DATA, FLOAT_PIXEL_DATA, ElementLocation
from chalicelib.dicomweb.instance.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from chalicelib.dicomweb.media_types import OCTET_STREAM
from chalicelib.errors import InstanceRejectedError

# Samples stored per pixel if chrominance is subsampled (PS3.3 §C.7.6.3.1.2); SamplesPerPixel is 3.
_SUBSAMPLED = {"YBR_FULL_422": 2, "YBR_PARTIAL_422": 2}


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
        self._count = number_of_frames(instance)
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


def _samples_per_frame(instance: Instance) -> int:
    """Samples stored per frame; fewer than declared if chrominance is subsampled."""
    samples = positive_integer(instance, "SamplesPerPixel", 1)
    photometric = str(instance.dataset.get("PhotometricInterpretation") or "").strip()
    if samples == 3:
        samples = _SUBSAMPLED.get(photometric, samples)
    return positive_integer(instance, "Rows") * positive_integer(instance, "Columns") * samples


def _bits_allocated(instance: Instance, tag: int) -> int:
    if tag == FLOAT_PIXEL_DATA:
        return 32
    if tag == DOUBLE_FLOAT_PIXEL_DATA:
        return 64
    return positive_integer(instance, "BitsAllocated")
