"""Metadata and static objects as they are kept: compressed with gzip."""

import gzip

import pytest

from chalicelib.dicomweb.compression import compress, decompress


@pytest.mark.parametrize("data", [b"", b"[]", b"abc" * 10_000])
def test_what_is_compressed_is_gzip_and_can_be_decompressed(data: bytes) -> None:
    assert gzip.decompress(compress(data)) == data
    assert decompress(compress(data)) == data


def test_no_time_is_written_so_that_equal_data_gives_equal_bytes() -> None:
    assert compress(b"[]")[:8] == b"\x1f\x8b\x08\x00" + bytes(4)
    assert compress(b"[]") == compress(b"[]")


def test_what_other_programs_compressed_is_decompressed() -> None:
    assert decompress(gzip.compress(b"abc")) == b"abc"
