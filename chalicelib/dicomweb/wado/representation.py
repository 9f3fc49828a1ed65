"""The request for a representation of a resource, and the answer, as values (PS3.18 §10.4). Pure."""

from dataclasses import dataclass

from chalicelib.dicomweb.media_types import MediaRange, accepts_gzip, parse_accept

# A Lambda response is limited to 6 MB, a quarter of which is lost to base64.
MAX_ANSWER_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """A representation to be sent, or a redirect to its URL if `location` is given."""

    body: bytes
    content_type: str
    cache_control: str = "no-store"
    content_encoding: str | None = None
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """The media types that a client accepts, the preferred first, and whether it accepts gzip."""

    accept: list[MediaRange]
    gzip: bool

    @classmethod
    def from_headers(cls, accept: str | None, accept_encoding: str | None) -> "Wanted":
        """Parse the Accept and Accept-Encoding headers.

        Raises
        ------
        BadRequestError
            A header cannot be parsed.
        """
        return cls(parse_accept(accept), accepts_gzip(accept_encoding))
