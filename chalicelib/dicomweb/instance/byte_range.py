"""Ranges of bytes in a file, and the byte order of words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A range of bytes in a file."""

    offset: int
    length: int


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
