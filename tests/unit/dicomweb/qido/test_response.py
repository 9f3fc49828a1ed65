"""The media type and the body of the answer to a search."""

import pytest

from chalicelib.dicomweb.qido.response import AnswerFormat, choose_media_type
from chalicelib.errors import NotAcceptableError

RESULT = {"0020000D": {"vr": "UI", "Value": ["1.2"]}}


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/dicom+json"),
        ("application/json", "application/json"),
        ('multipart/related; type="application/dicom+xml"', "multipart/related"),
    ],
)
def test_a_search_is_answered_in_the_type_that_is_asked_for(accept, media_type):
    assert choose_media_type(accept) == media_type


@pytest.mark.parametrize("accept", ["application/dicom+xml", "text/xml", 'multipart/related; type="text/xml"'])
def test_a_search_is_not_answered_in_other_types(accept):
    with pytest.raises(NotAcceptableError):
        choose_media_type(accept)


def test_results_are_the_members_of_a_json_array():
    form = AnswerFormat("application/json")
    assert form.render(RESULT) == b'{"0020000D":{"vr":"UI","Value":["1.2"]}}'
    assert form.assemble([]) == ("application/json", b"[]")
    assert form.assemble([b"{1}", b"{2}"]) == ("application/json", b"[{1},{2}]")


def test_results_are_the_parts_of_a_multipart_body_whose_boundary_is_their_digest():
    form = AnswerFormat("multipart/related")
    assert form.render(RESULT).startswith(b"<?xml")
    content_type, body = form.assemble([b"<a/>", b"<b/>"])
    boundary = "967dab4ae85257b3654d3be76b831fc3a8bcd163"
    assert content_type == f'multipart/related; type="application/dicom+xml"; boundary="{boundary}"'
    part = f"--{boundary}\r\nContent-Type: application/dicom+xml\r\n\r\n"
    assert body.decode() == f"{part}<a/>\r\n{part}<b/>\r\n--{boundary}--\r\n"
