"""Media types and Accept lists (RFC 9110 §12.5.1, PS3.18 §8.7.5); it does not know what a resource offers."""

import re
from dataclasses import dataclass
from email.message import Message
from urllib.request import parse_http_list

from chalicelib.errors import BadRequestError


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One member of an Accept list; `media_type` may be ``*/*`` or ``image/*``."""

    media_type: str
    parameters: dict[str, str]
    quality: float = 1.0

    def covers(self, media_type: str) -> bool:
        """Whether a concrete media type falls into this range."""
        main_type = media_type.partition("/")[0]
        return self.media_type in ("*/*", f"{main_type}/*", media_type)


ANYTHING = MediaRange("*/*", {})


def parse_media_type(text: str) -> tuple[str, dict[str, str]]:
    """Split a media type: ``type/subtype`` in lower case, and its parameters, unquoted."""
    message = Message()
    try:
        message["Content-Type"] = text
        (media_type, _), *parameters = message.get_params() or [("", "")]
    except ValueError as error:  # a line break in the header
        raise BadRequestError("a media type cannot be understood") from error
    return media_type.strip().lower(), {name.lower(): value for name, value in parameters}


def parse_accept(accept: str | None) -> list[MediaRange]:
    """Members of an Accept list that are acceptable at all, the best first; anything where it is absent."""
    if accept is None or not accept.strip():
        return [ANYTHING]
    ranges = []
    for entry in parse_http_list(accept):
        media_type, parameters = parse_media_type(entry)
        ranges.append(MediaRange(media_type, parameters, _quality(parameters.pop("q", "1"))))
    return sorted((member for member in ranges if member.quality), key=lambda member: -member.quality)


def accepts_gzip(accept_encoding: str | None) -> bool:
    """Whether a client takes gzip; one that says nothing about encodings may be unable to."""
    qualities = {member.media_type: member.quality for member in _codings(accept_encoding or "")}
    return qualities.get("gzip", qualities.get("*", 0.0)) > 0


def _codings(accept_encoding: str) -> list[MediaRange]:
    codings = []
    for entry in parse_http_list(accept_encoding):
        coding, parameters = parse_media_type(entry)
        codings.append(MediaRange(coding, parameters, _quality(parameters.get("q", "1"))))
    return codings


def _quality(text: str) -> float:
    """Weight of RFC 9110 §12.4.2; one that cannot be read counts as 1, as the client did name the type."""
    return float(text) if re.fullmatch(r"[01](\.[0-9]{0,3})?", text) else 1.0
