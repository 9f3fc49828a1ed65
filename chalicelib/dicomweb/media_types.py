"""Media types and Accept lists (RFC 9110 §12.5.1, PS3.18 §8.7.5), without knowledge of any resource. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from urllib.request import parse_http_list

from chalicelib.errors import BadRequestError

DICOM = "application/dicom"
DICOM_JSON = "application/dicom+json"
DICOM_XML = "application/dicom+xml"
JSON = "application/json"
OCTET_STREAM = "application/octet-stream"
MULTIPART_RELATED = "multipart/related"


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One member of an Accept list; `media_type` may be ``*/*`` or ``image/*``."""

    media_type: str
    parameters: dict[str, str]
    quality: float = 1.0

    def covers(self, media_type: str) -> bool:
        """Whether this range includes a concrete media type."""
        main_type = media_type.partition("/")[0]
        return self.media_type in ("*/*", f"{main_type}/*", media_type)


@dataclass(frozen=True, slots=True)
class Offer:
    """A media type that a resource is available in; `root_type` is the type of the parts of multipart/related."""

    media_type: str
    root_type: str | None = None


ANYTHING = MediaRange("*/*", {})


def parse_media_type(text: str) -> tuple[str, dict[str, str]]:
    """Split a media type into ``type/subtype`` in lower case and its parameters, unquoted.

    Raises
    ------
    BadRequestError
        The text cannot be parsed, e.g. since it contains a line break.
    """
    message = Message()
    try:
        message["Content-Type"] = text
        (media_type, _), *parameters = message.get_params() or [("", "")]
    except ValueError as error:  # a line break in the header
        raise BadRequestError("a media type cannot be understood") from error
    return media_type.strip().lower(), {name.lower(): value for name, value in parameters}


def parse_accept(accept: str | None) -> list[MediaRange]:
    """Return the acceptable members of an Accept list, the preferred first; ``*/*`` if there is no list.

    Raises
    ------
    BadRequestError
        As `parse_media_type`.
    """
    return sorted((member for member in _members(accept) if member.quality), key=lambda member: -member.quality)


def choose(accept: str | None, offers: Sequence[Offer]) -> Offer | None:
    """Return the offer that a client prefers, the first among equals; None if it accepts none of them.

    The most specific member that covers an offer decides its quality (RFC 9110 §12.5.1):
    ``*/*, application/json;q=0`` accepts anything except application/json.

    Raises
    ------
    BadRequestError
        As `parse_media_type`.
    """
    members = _members(accept)
    best: tuple[float, Offer | None] = (0.0, None)
    for offer in offers:
        _, quality = max(((_specificity(member, offer), member.quality) for member in members), default=(0, 0.0))
        if quality > best[0] and any(_specificity(member, offer) for member in members):
            best = (quality, offer)
    return best[1]


def _members(accept: str | None) -> list[MediaRange]:
    if accept is None or not accept.strip():
        return [ANYTHING]
    members = []
    for entry in parse_http_list(accept):
        media_type, parameters = parse_media_type(entry)
        members.append(MediaRange(media_type, parameters, _quality(parameters.pop("q", "1"))))
    return members


def _specificity(member: MediaRange, offer: Offer) -> int:
    """How specifically a member of an Accept list names an offer; 0 if it does not cover the offer."""
    root_type = member.parameters.get("type", "").lower()
    if not member.covers(offer.media_type) or (root_type and root_type != offer.root_type):
        return 0
    if member.media_type != offer.media_type:
        return 1 if member.media_type == "*/*" else 2
    return 4 if root_type else 3


def accepts_gzip(accept_encoding: str | None) -> bool:
    """Whether a client accepts gzip (RFC 9110 §12.5.3); without the header, it may be unable to decode it.

    Raises
    ------
    BadRequestError
        As `parse_media_type`.
    """
    qualities = {member.media_type: member.quality for member in _codings(accept_encoding or "")}
    return qualities.get("gzip", qualities.get("*", 0.0)) > 0


def _codings(accept_encoding: str) -> list[MediaRange]:
    codings = []
    for entry in parse_http_list(accept_encoding):
        coding, parameters = parse_media_type(entry)
        codings.append(MediaRange(coding, parameters, _quality(parameters.get("q", "1"))))
    return codings


def _quality(text: str) -> float:
    """Parse a weight (RFC 9110 §12.4.2); an invalid one counts as 1, since the client did name the type."""
    return float(text) if re.fullmatch(r"[01](\.[0-9]{0,3})?", text) else 1.0
