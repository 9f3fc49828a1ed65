"""Keywords and tags, of the table of attributes and of the rest of the standard."""

import pytest

from chalicelib.dicomweb.data_dictionary import keyword_of_tag, tag_of_keyword


@pytest.mark.parametrize(
    ("tag", "keyword"),
    [
        ("00100010", "PatientName"),  # in the table
        ("00081190", "RetrieveURL"),  # computed
        ("00281050", "WindowCenter"),  # in the dictionary only
    ],
)
def test_a_keyword_is_found_by_its_tag(tag: str, keyword: str) -> None:
    assert keyword_of_tag(tag) == keyword


@pytest.mark.parametrize("tag", ["00100000", "00091001", "FFFFFFFF"])
def test_a_tag_outside_the_standard_has_no_keyword(tag: str) -> None:
    assert keyword_of_tag(tag) is None


@pytest.mark.parametrize(
    ("keyword", "tag"), [("PatientName", "00100010"), ("WindowCenter", "00281050"), ("PixelData", "7FE00010")]
)
def test_a_tag_is_found_by_its_keyword(keyword: str, tag: str) -> None:
    assert tag_of_keyword(keyword) == tag


def test_a_keyword_outside_the_standard_has_no_tag() -> None:
    assert tag_of_keyword("PatientShoeSize") is None
