"""Checks the headers of a STOW-RS request, before its body is read. Pure."""

import re

from chalicelib.dicomweb.media_types import (
    DICOM,
    DICOM_JSON,
    DICOM_XML,
    JSON,
    MULTIPART_RELATED,
    Offer,
    choose,
    parse_media_type,
)
from chalicelib.errors import BadRequestError, NotAcceptableError, UnsupportedMediaTypeError

# RFC 2046 §5.1.1 allows 70 characters of a smaller set. Clients that exceed it are accepted.
_BOUNDARY_PATTERN = re.compile(r"[\x20-\x7e]{0,199}[\x21-\x7e]\Z")
_METADATA_TYPES = frozenset({DICOM_JSON, DICOM_XML})


def find_boundary(content_type: str | None) -> bytes | None:
    """Check the Content-Type of a store request, and return the boundary of its body (PS3.18 §10.5.2).

    Returns
    -------
    bytes or None
        Boundary of a multipart body; None if the body is one instance.

    Raises
    ------
    UnsupportedMediaTypeError
        The type is neither multipart/related with type="application/dicom" nor application/dicom.
    BadRequestError
        The header cannot be parsed, or the `type` or `boundary` of multipart/related is missing or not valid.
    """
    if not content_type:
        raise UnsupportedMediaTypeError("Content-Type is missing")
    media_type, parameters = parse_media_type(content_type)
    if media_type == DICOM:
        return None
    if media_type != MULTIPART_RELATED:
        raise UnsupportedMediaTypeError(
            'the Content-Type must be multipart/related; type="application/dicom", or application/dicom'
        )
    _check_root_type(parameters.get("type", ""))
    boundary = parameters.get("boundary", "")
    if not _BOUNDARY_PATTERN.match(boundary):
        raise BadRequestError("the Content-Type has no valid boundary parameter")
    return boundary.encode("ascii")


def _check_root_type(text: str) -> None:
    # PS3.18 §8.7.1 requires the `type` parameter. It may be quoted or not.
    root_type = text.strip().lower()
    if not root_type:
        raise BadRequestError("the multipart Content-Type has no type parameter")
    if root_type in _METADATA_TYPES:
        raise UnsupportedMediaTypeError(
            "metadata with bulk data is not accepted yet: send each instance as application/dicom"
        )
    if root_type != DICOM:
        raise UnsupportedMediaTypeError("the type parameter of the Content-Type must be application/dicom")


def choose_response_type(accept: str | None) -> str:
    """Choose the media type of the answer: the one of highest quality, JSON among equals (PS3.18 §8.7.5).

    Raises
    ------
    NotAcceptableError
        The client accepts none of the media types of the answer.
    BadRequestError
        The header cannot be parsed.
    """
    offer = choose(accept, _OFFERS)
    if offer is None:
        raise NotAcceptableError("the answer can be application/dicom+json or application/dicom+xml")
    return offer.media_type


# In order of preference; the first is the default.
_OFFERS = (Offer(DICOM_JSON), Offer(JSON), Offer(DICOM_XML))
