"""What an Accept list takes (RFC 9110 §12.5.1)."""

import pytest

from chalicelib.dicomweb.media_types import Offer, choose
from chalicelib.dicomweb.qido.response import choose_media_type
from chalicelib.errors import NotAcceptableError

OFFERS = (Offer("application/dicom+json"), Offer("multipart/related", "application/dicom+xml"))
JSON, XML = OFFERS


@pytest.mark.parametrize(
    ("accept", "offer"),
    [
        (None, JSON),
        (" ", JSON),
        ("*/*", JSON),
        ("text/html, */*;q=0.1", JSON),
        ("application/dicom+json;q=0.4, multipart/related;q=0.5", XML),
        ('multipart/related; type="application/dicom+xml"', XML),
        ("Multipart/Related; TYPE=Application/DICOM+XML", XML),
        ("multipart/*", XML),
        ("multipart/related", XML),
        ('multipart/related; type="application/dicom"', None),
        # What is refused by name is not let in by a wildcard.
        ("*/*, application/dicom+json;q=0", XML),
        ("application/*;q=0, */*", XML),
        ('multipart/related; type="application/dicom+xml";q=0, multipart/related', None),
        ("image/jpeg", None),
        (",", None),
    ],
)
def test_the_offer_that_is_liked_best_is_chosen(accept, offer):
    assert choose(accept, OFFERS) == offer


@pytest.mark.parametrize("accept", ["application/dicom+xml", "text/xml", 'multipart/related; type="text/xml"'])
def test_a_search_is_not_answered_in_other_types(accept):
    with pytest.raises(NotAcceptableError):
        choose_media_type(accept)
