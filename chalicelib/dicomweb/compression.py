"""Compression of stored metadata and static objects: gzip, at a level that costs little time. Pure."""

from isal import igzip

# igzip's levels go from 0 to 3; level 1 takes a quarter of the time of zlib's fastest.
_LEVEL = 1


def compress(data: bytes) -> bytes:
    """Compress with gzip (RFC 1952); equal data always gives equal bytes."""
    return igzip.compress(data, compresslevel=_LEVEL, mtime=0)


def decompress(data: bytes) -> bytes:
    """Decompress what `compress` returned."""
    decompressed: bytes = igzip.decompress(data)  # type: ignore[no-untyped-call]
    return decompressed
