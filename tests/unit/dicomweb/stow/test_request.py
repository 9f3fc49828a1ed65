import pytest

from chalicelib.dicomweb.stow.request import choose_response_type, find_boundary
from chalicelib.errors import BadRequestError, NotAcceptableError, UnsupportedMediaTypeError


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ('multipart/related; type="application/dicom"; boundary="a;b"', b"a;b"),
        ("multipart/related; type=application/dicom; boundary=a=b", b"a=b"),
        ('multipart/related; type="application/dicom"; boundary="a b"', b"a b"),
        ("application/dicom; transfer-syntax=1.2.840.10008.1.2.1", None),
    ],
)
def test_boundary_is_found(content_type: str, boundary: bytes | None) -> None:
    assert find_boundary(content_type) == boundary


@pytest.mark.parametrize("boundary", ["é", "a\tb", '"a "', "x" * 201])
def test_boundary_that_cannot_be_one_is_refused(boundary: str) -> None:
    with pytest.raises(BadRequestError):
        find_boundary(f"multipart/related; type=application/dicom; boundary={boundary}")


@pytest.mark.parametrize("content_type", [None, "", "text/plain", "a\nb"])
def test_other_types_are_refused(content_type: str | None) -> None:
    with pytest.raises((UnsupportedMediaTypeError, BadRequestError)):
        find_boundary(content_type)


def test_unreadable_quality_counts_as_one() -> None:
    assert choose_response_type("application/dicom+xml;q=high") == "application/dicom+xml"


def test_nothing_acceptable_is_an_error() -> None:
    with pytest.raises(NotAcceptableError):
        choose_response_type("image/jpeg")


@pytest.mark.parametrize(
    ("content_type", "error", "message"),
    [
        ("multipart/related; boundary=a", BadRequestError, "no type parameter"),
        ("multipart/related; type=application/dicom", BadRequestError, "no valid boundary"),
        ('multipart/related; type="application/dicom+json"; boundary=a', UnsupportedMediaTypeError, "bulk data"),
        ('multipart/related; type="image/jpeg"; boundary=a', UnsupportedMediaTypeError, "must be application/dicom"),
        ("multipart/form-data; boundary=a", UnsupportedMediaTypeError, "must be multipart/related"),
    ],
)
def test_what_is_wrong_with_a_multipart_type_is_said(content_type: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        find_boundary(content_type)
