"""The includefield parameters of a search: which attributes they name, and the warnings about the others."""

import pytest

from chalicelib.dicomweb.attributes import Level
from chalicelib.dicomweb.qido.include_fields import PrivateField
from chalicelib.dicomweb.qido.query import QidoQuery
from chalicelib.errors import InvalidQueryError


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ("PatientName", {"00100010"}),
        ("00100010,StudyDate", {"00100010", "00080020"}),
        ("0008103e", {"0008103E"}),
        ("RequestAttributesSequence.00401001", {"00400275"}),
        ("SpecificCharacterSet,00081190", set()),
        ("TimezoneOffsetFromUTC", {"00080201"}),
    ],
)
def test_includefield_takes_keywords_tags_and_lists(value, tags):
    query = QidoQuery.parse(Level.SERIES, [("includefield", value)])
    assert query.fields.known_tags == tags
    assert query.warnings == ()


def test_includefield_all_may_stand_among_others():
    query = QidoQuery.parse(Level.STUDY, [("includefield", "all"), ("includefield", "PatientID")])
    assert query.fields.everything
    assert query.fields.known_tags == {"00100020"}


@pytest.mark.parametrize("value", ["00091001", "PatientShoeSize", "00100010.00100020x9"])
def test_a_field_that_is_not_kept_is_ignored_with_a_warning(value):
    if value.endswith("x9"):
        with pytest.raises(InvalidQueryError):
            QidoQuery.parse(Level.STUDY, [("includefield", value)])
        return
    query = QidoQuery.parse(Level.STUDY, [("includefield", value)])
    assert query.warnings == (f"The includefield {value} is not supported and has been ignored.",)


def test_a_private_field_is_known_by_its_creator_not_by_its_block():
    pairs = [("includefield", "0009110a"), ("00090011", " ACME "), ("includefield", "00090010")]
    query = QidoQuery.parse(Level.INSTANCE, pairs)
    assert query.fields.private == {PrivateField("0009", "0A", "ACME")}
    assert query.fields.instance_tags == {"00090010"}
    assert (query.conditions, query.warnings) == ((), ())


def test_a_private_field_without_its_creator_is_ignored_with_a_warning():
    query = QidoQuery.parse(Level.INSTANCE, [("includefield", "00091001")])
    assert query.warnings == ("The includefield 00091001 lacks its private creator and has been ignored.",)


@pytest.mark.parametrize(
    "pairs",
    [
        [("00090010", "ACME")],
        [("00090010", "ACME"), ("includefield", "00091101")],
        [("00090010", ""), ("includefield", "00091001")],
        [("00090010", "ACME"), ("00090010", "OTHER"), ("includefield", "00091001")],
        [("00091001", "x")],
    ],
)
def test_a_private_parameter_that_names_no_creator_of_a_field_is_refused(pairs):
    with pytest.raises(InvalidQueryError, match="0009"):
        QidoQuery.parse(Level.INSTANCE, pairs)


def test_a_warning_names_only_as_many_fields_as_a_header_holds():
    query = QidoQuery.parse(Level.STUDY, [("includefield", ",".join(f"Nothing{n}" for n in range(5000)))])
    [warning] = query.warnings
    assert "Nothing19 and 4980 more are not supported" in warning


def test_an_attribute_of_a_deeper_level_is_ignored_with_a_warning():
    query = QidoQuery.parse(Level.STUDY, [("includefield", "SeriesDescription,InstanceNumber")])
    assert query.fields.known_tags == frozenset()
    assert query.warnings == (
        "The includefields SeriesDescription, InstanceNumber are attributes of a deeper level and have been ignored.",
    )
