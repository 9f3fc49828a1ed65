"""What the headers of a STOW-RS request ask for, checked before its body is read."""

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
    offer = choose(accept, _OFFERS)
    if offer is None:
        raise NotAcceptableError("the answer can be application/dicom+json or application/dicom+xml")
    return offer.media_type


# In the order of preference; the first is the default.
_OFFERS = (Offer(DICOM_JSON), Offer(JSON), Offer(DICOM_XML))
