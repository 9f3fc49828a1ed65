"""What the headers of a STOW-RS request ask for, checked before its body is read."""

import re
from email.message import Message
from urllib.request import parse_http_list

from chalicelib.errors import BadRequestError, NotAcceptableError, UnsupportedMediaTypeError

DICOM = "application/dicom"
DICOM_JSON = "application/dicom+json"
DICOM_XML = "application/dicom+xml"
JSON = "application/json"

# RFC 2046 §5.1.1 allows 70 characters of a smaller set; clients that overstep it are understood all the same.
_BOUNDARY_PATTERN = re.compile(r"[\x20-\x7e]{0,199}[\x21-\x7e]\Z")
_METADATA_TYPES = frozenset({DICOM_JSON, DICOM_XML})


def find_boundary(content_type: str | None) -> bytes | None:
    """Check the Content-Type of a store request (PS3.18 §10.5.2).

    Returns
    -------
    bytes or None
        Boundary of a multipart body; None where the body is one instance.

    Raises
    ------
    UnsupportedMediaTypeError
        Neither multipart/related of application/dicom nor application/dicom.
    BadRequestError
        The header cannot be understood, or a multipart's `type` or `boundary` is missing.
    """
    if not content_type:
        raise UnsupportedMediaTypeError("Content-Type is missing")
    media_type, parameters = parse_media_type(content_type)
    if media_type == DICOM:
        return None
    if media_type != "multipart/related":
        raise UnsupportedMediaTypeError(
            'the Content-Type must be multipart/related; type="application/dicom", or application/dicom'
        )
    _check_root_type(parameters.get("type", ""))
    boundary = parameters.get("boundary", "")
    if not _BOUNDARY_PATTERN.match(boundary):
        raise BadRequestError("the Content-Type has no valid boundary parameter")
    return boundary.encode("ascii")


def _check_root_type(text: str) -> None:
    # PS3.18 §8.7.1: the `type` parameter is required; here quoted or not.
    root_type = text.strip().lower()
    if not root_type:
        raise BadRequestError("the multipart Content-Type has no type parameter")
    if root_type in _METADATA_TYPES:
        raise UnsupportedMediaTypeError(
            "metadata with bulk data is not accepted yet: send each instance as application/dicom"
        )
    if root_type != DICOM:
        raise UnsupportedMediaTypeError("the multipart's type must be application/dicom")


def choose_response_type(accept: str | None) -> str:
    """Media type of the answer: the acceptable one of highest quality, JSON among equals (PS3.18 §8.7.5).

    Raises
    ------
    NotAcceptableError
        Neither application/dicom+json nor application/dicom+xml is acceptable.
    """
    if accept is None or not accept.strip():
        return DICOM_JSON
    best = ("", 0.0)
    for entry in parse_http_list(accept):
        media_type, parameters = parse_media_type(entry)
        offered = _OFFERS.get(media_type)
        quality = _quality(parameters.get("q", "1"))
        if offered is not None and (quality, offered == DICOM_JSON) > (best[1], best[0] == DICOM_JSON):
            best = (offered, quality)
    if not best[1]:
        raise NotAcceptableError("the answer can be application/dicom+json or application/dicom+xml")
    return best[0]


_OFFERS = {
    DICOM_JSON: DICOM_JSON,
    DICOM_XML: DICOM_XML,
    JSON: JSON,
    "*/*": DICOM_JSON,
    "application/*": DICOM_JSON,
}


def _quality(text: str) -> float:
    """Weight of RFC 9110 §12.4.2; one that cannot be read counts as 1, as the client did name the type."""
    return float(text) if re.fullmatch(r"[01](\.[0-9]{0,3})?", text) else 1.0


def parse_media_type(text: str) -> tuple[str, dict[str, str]]:
    """Split a media type: ``type/subtype`` in lower case, and its parameters, unquoted."""
    message = Message()
    try:
        message["Content-Type"] = text
        (media_type, _), *parameters = message.get_params() or [("", "")]
    except ValueError as error:  # a line break in the header
        raise BadRequestError("a media type cannot be understood") from error
    return media_type.strip().lower(), {name.lower(): value for name, value in parameters}
