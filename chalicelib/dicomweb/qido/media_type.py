"""The media types that a search is answered in (PS3.18 §8.7.3.2, §10.6.3). Pure."""

from chalicelib.dicomweb.media_types import DICOM_JSON, DICOM_XML, JSON, MULTIPART_RELATED, Offer, choose
from chalicelib.errors import NotAcceptableError

# In the order of preference; the first is the default.
_OFFERS = (Offer(DICOM_JSON), Offer(JSON), Offer(MULTIPART_RELATED, DICOM_XML))


def choose_media_type(accept: str | None) -> str:
    """Choose by the Accept header; absent or empty means anything.

    Returns
    -------
    str
        ``application/dicom+json``, ``application/json`` or ``multipart/related`` (of
        ``application/dicom+xml``).

    Raises
    ------
    NotAcceptableError
        If every member of the list is something else, or refused by ``q=0``.
    """
    offer = choose(accept, _OFFERS)
    if offer is None:
        raise NotAcceptableError(
            f'a search is answered in {DICOM_JSON}, {JSON} or {MULTIPART_RELATED}; type="{DICOM_XML}"'
        )
    return offer.media_type
