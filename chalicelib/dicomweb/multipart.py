"""Bodies of multipart/related (RFC 2387) as DICOMweb answers them; reading requests is not done here."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stands around the one part of a body, and the body's own Content-Type."""

    content_type: str
    head: bytes
    tail: bytes

    def wrap(self, payload: bytes) -> bytes:
        """The whole body."""
        return b"".join((self.head, payload, self.tail))

    def wrap_pieces(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The whole body in pieces."""
        yield self.head
        yield from pieces
        yield self.tail


def envelope(media_type: str, *, seed: str, transfer_syntax_uid: str | None = None) -> Envelope:
    """Envelope of one part of `media_type`.

    The part's Content-Type is written exactly ``<type>; transfer-syntax=<UID>``: OHIF's loader believes
    nothing else. `type` of the whole is quoted (PS3.18 §8.7.1).

    Parameters
    ----------
    seed
        Something that depends on the content's digest. The boundary is a digest of it: a text that
        cannot be put into the content beforehand, since putting it there changes it.
    """
    boundary = make_boundary(seed)
    part_type = media_type + (f"; transfer-syntax={transfer_syntax_uid}" if transfer_syntax_uid else "")
    return Envelope(
        content_type=f'multipart/related; type="{media_type}"; boundary="{boundary}"',
        head=f"--{boundary}\r\nContent-Type: {part_type}\r\n\r\n".encode("ascii"),
        tail=f"\r\n--{boundary}--\r\n".encode("ascii"),
    )


def make_boundary(seed: str) -> str:
    """A boundary from a digest of `seed`; at most 70 characters, RFC 2046 §5.1.1."""
    return hashlib.sha256(seed.encode()).hexdigest()[:40]


def multipart_body(
    media_type: str, payloads: Iterable[bytes], *, seed: str, transfer_syntax_uid: str | None = None
) -> tuple[str, bytes]:
    """Content-Type and body of several parts of one media type; see `envelope`."""
    parts = envelope(media_type, seed=seed, transfer_syntax_uid=transfer_syntax_uid)
    body = b"\r\n".join(parts.head + payload for payload in payloads)
    return parts.content_type, body + parts.tail
