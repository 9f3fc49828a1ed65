"""Ranges of bytes in a file, and the byte order of words."""

from io import BytesIO

import pytest

from chalicelib.dicomweb.instance.byte_range import ByteRange, read_range, swap_words
from chalicelib.settings import MIB


@pytest.mark.parametrize(("word", "expected"), [(1, b"abcdefgh"), (2, b"badcfehg"), (4, b"dcbahgfe"), (8, b"hgfedcba")])
def test_words_are_reversed_byte_by_byte(word: int, expected: bytes) -> None:
    assert swap_words(b"abcdefgh", word) == expected


def test_a_range_is_read_in_pieces_wherever_the_file_stands_in_between() -> None:
    file = BytesIO(b"head" + bytes(MIB) + b"tail" + b"more")
    pieces = []
    for piece in read_range(file, ByteRange(4, MIB + 4)):
        pieces.append(piece)
        file.seek(0)
    assert pieces == [bytes(MIB), b"tail"]


def test_an_empty_range_has_no_pieces() -> None:
    assert list(read_range(BytesIO(b"abc"), ByteRange(1, 0))) == []
