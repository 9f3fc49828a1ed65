"""Names of attributes in a query string: which are well-formed, and which tags they stand for."""

import pytest

from chalicelib.dicomweb.qido.attribute_names import is_name, known_tag, path_of


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("PatientName", "00100010"),
        ("0020000d", "0020000D"),
        ("00091001", "00091001"),
        ("RequestAttributesSequence.00400009", "00400275.00400009"),
        ("PatientShoeSize", None),
        ("RequestAttributesSequence.", None),
        ("", None),
    ],
)
def test_a_name_is_a_path_of_tags(name, path):
    assert path_of(name) == path


@pytest.mark.parametrize(
    ("component", "well_formed"),
    [
        ("PatientName", True),
        ("0010ABCD", True),
        ("PatientShoeSize", True),
        ("0010001", False),
        ("", False),
        ("a-b", False),
    ],
)
def test_a_component_is_a_tag_or_a_keyword(component, well_formed):
    assert is_name(component) is well_formed


@pytest.mark.parametrize(
    ("component", "tag"),
    [("PatientName", "00100010"), ("0010abcd", "0010ABCD"), ("WindowCenter", None), ("0010001", None)],
)
def test_a_tag_is_known_without_the_dictionary(component, tag):
    assert known_tag(component) == tag
