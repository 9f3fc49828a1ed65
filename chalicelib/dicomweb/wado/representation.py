"""A representation as it is asked for and as it is answered."""

from dataclasses import dataclass

from chalicelib.dicomweb.media_types import MediaRange, accepts_gzip, parse_accept

# Lambda answers at most 6 MB, of which base64 takes a quarter.
MAX_ANSWER_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """A representation to be sent, or (`location`) where it lies."""

    body: bytes
    content_type: str
    cache_control: str = "no-store"
    content_encoding: str | None = None
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client can take."""

    accept: list[MediaRange]
    gzip: bool

    @classmethod
    def from_headers(cls, accept: str | None, accept_encoding: str | None) -> "Wanted":
        """Read the two headers."""
        return cls(parse_accept(accept), accepts_gzip(accept_encoding))
