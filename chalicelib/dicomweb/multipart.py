"""Writes bodies of multipart/related (RFC 2387) for DICOMweb answers; bodies of requests are read elsewhere. Pure."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Envelope:
    """The bytes before and after the only part of a body, and the Content-Type of the body."""

    content_type: str
    head: bytes
    tail: bytes

    def wrap(self, payload: bytes) -> bytes:
        """Return the complete body."""
        return b"".join((self.head, payload, self.tail))

    def wrap_pieces(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the complete body in pieces."""
        yield self.head
        yield from pieces
        yield self.tail


def envelope(media_type: str, *, seed: str, transfer_syntax_uid: str | None = None) -> Envelope:
    """Create the envelope of one part of `media_type`.

    The Content-Type of the part is written exactly ``<type>; transfer-syntax=<UID>``, since OHIF's loader
    recognizes no other form. The `type` parameter of the body is quoted (PS3.18 §8.7.1).

    Parameters
    ----------
    seed
        A text that depends on the digest of the content. The boundary is derived from it, so nobody can
        place the boundary in the content beforehand: that would change the digest.
    """
    boundary = make_boundary(seed)
    part_type = media_type + (f"; transfer-syntax={transfer_syntax_uid}" if transfer_syntax_uid else "")
    return Envelope(
        content_type=f'multipart/related; type="{media_type}"; boundary="{boundary}"',
        head=f"--{boundary}\r\nContent-Type: {part_type}\r\n\r\n".encode("ascii"),
        tail=f"\r\n--{boundary}--\r\n".encode("ascii"),
    )


def make_boundary(seed: str) -> str:
    """Derive a boundary of 40 characters from `seed` (RFC 2046 §5.1.1 allows 70)."""
    return hashlib.sha256(seed.encode()).hexdigest()[:40]


def multipart_body(
    media_type: str, payloads: Iterable[bytes], *, seed: str, transfer_syntax_uid: str | None = None
) -> tuple[str, bytes]:
    """Return the Content-Type and the body of several parts of one media type; see `envelope`."""
    parts = envelope(media_type, seed=seed, transfer_syntax_uid=transfer_syntax_uid)
    body = b"\r\n".join(parts.head + payload for payload in payloads)
    return parts.content_type, body + parts.tail
