"""Media types, and choosing by the headers Accept and Accept-Encoding (RFC 9110 §12.5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.dicomweb.media_types import (
    MediaRange,
    Offer,
    accepts_gzip,
    choose,
    parse_accept,
    parse_media_type,
)
from chalicelib.errors import BadRequestError

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
        # A wildcard does not admit a type that is refused by name.
        ("*/*, application/dicom+json;q=0", XML),
        ("application/*;q=0, */*", XML),
        ('multipart/related; type="application/dicom+xml";q=0, multipart/related', None),
        ("image/jpeg", None),
        (",", None),
    ],
)
def test_the_offer_that_is_liked_best_is_chosen(accept, offer):
    assert choose(accept, OFFERS) == offer


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("Image/JPEG", ("image/jpeg", {})),
        ("a/b; Type=C; q=0.5", ("a/b", {"type": "C", "q": "0.5"})),
        ('a/b; boundary="c;d"', ("a/b", {"boundary": "c;d"})),
        ('a/b; boundary="<c>"', ("a/b", {"boundary": "<c>"})),
        ("a/b; type*=utf-8''c%2Fd", ("a/b", {"type": "c/d"})),
        ("a/b; type*0=c; type*1=d", ("a/b", {"type": "cd"})),
        ("", ("", {})),
    ],
)
def test_a_media_type_is_split_into_its_name_and_parameters(text, parsed):
    assert parse_media_type(text) == parsed


@pytest.mark.parametrize("text", ["a/b; c*=1; c*0=2", "a/b; c*" + "9" * 5000 + "=1"])
def test_parameters_that_do_not_fit_together_are_a_bad_request(text):
    with pytest.raises(BadRequestError):
        parse_media_type(text)


@given(st.text("a/;*='\"0%,q\\ \n") | st.text())
def test_any_header_is_read_or_a_bad_request(text):
    for read in (parse_media_type, parse_accept, accepts_gzip, lambda accept: choose(accept, OFFERS)):
        try:
            read(text)
        except BadRequestError:
            continue


def test_the_members_of_an_accept_list_come_by_quality_without_those_refused():
    assert parse_accept("text/html;q=0.5, image/jpeg, */*;q=0") == [
        MediaRange("image/jpeg", {}, 1.0),
        MediaRange("text/html", {}, 0.5),
    ]
    assert parse_accept(None) == [MediaRange("*/*", {})]


@pytest.mark.parametrize(
    ("accept_encoding", "accepted"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("br, GZIP;q=0.1", True),
        ("gzip;q=0", False),
        ("*", True),
        ("*, gzip;q=0", False),
        ("*;q=0, gzip", True),
        ("identity", False),
    ],
)
def test_gzip_is_sent_to_clients_that_name_it(accept_encoding, accepted):
    assert accepts_gzip(accept_encoding) is accepted
