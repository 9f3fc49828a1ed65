"""What one hit of a search shows (PS3.18 §10.6.3); whole answers are for the conformance tests."""

import pytest

from chalicelib.dicomweb.attributes import DicomJson, Level
from chalicelib.dicomweb.qido.query import QidoQuery
from chalicelib.dicomweb.qido.results import describe_hit, levels_shown
from chalicelib.dicomweb.resources import ResourceUids

ROOT = "https://archive.example/dicomweb"
INSTANCE = ResourceUids("1.2", "1.3", "1.4")


def describe(data_set: DicomJson | None, *fields: tuple[str, str]) -> DicomJson:
    """An instance of a series that the path names: with its UIDs and the fields that are asked for."""
    query = QidoQuery.parse(Level.INSTANCE, fields, study_instance_uid="1.2", series_instance_uid="1.3")
    return describe_hit(query, INSTANCE, {}, ROOT, data_set)


ALONE = {
    "00080005": {"vr": "CS", "Value": ["ISO_IR 192"]},
    "00080018": {"vr": "UI", "Value": ["1.4"]},
    "00080056": {"vr": "CS", "Value": ["ONLINE"]},
    "00081190": {"vr": "UR", "Value": [f"{ROOT}/studies/1.2/series/1.3/instances/1.4"]},
    "0020000D": {"vr": "UI", "Value": ["1.2"]},
    "0020000E": {"vr": "UI", "Value": ["1.3"]},
}


def test_a_hit_without_documents_shows_its_uids_and_where_it_is() -> None:
    answer = describe(None)
    assert answer == ALONE
    assert list(answer) == sorted(ALONE)


def test_what_a_document_lacks_is_shown_empty_only_if_it_is_required_or_asked_for() -> None:
    query = QidoQuery.parse(Level.SERIES, [("includefield", "Laterality")], study_instance_uid="1.2")
    answer = describe_hit(query, ResourceUids("1.2", "1.3"), {Level.SERIES: {}}, ROOT)
    assert answer["00080060"] == {"vr": "CS"}  # Modality, required
    assert answer["00200060"] == {"vr": "CS"}  # Laterality, asked for
    assert "00080070" not in answer  # Manufacturer


def test_the_document_of_a_level_shows_its_own_attributes_only() -> None:
    query = QidoQuery.parse(Level.STUDY, [])
    document = {"00100020": {"vr": "LO", "Value": ["P1"]}, "00080060": {"vr": "CS", "Value": ["CT"]}}
    answer = describe_hit(query, ResourceUids("1.2"), {Level.STUDY: document}, ROOT)
    assert answer["00100020"] == {"vr": "LO", "Value": ["P1"]}
    assert "00080060" not in answer


@pytest.mark.parametrize(
    ("level", "path", "shown"),
    [
        (Level.STUDY, {}, [Level.STUDY]),
        (Level.SERIES, {}, [Level.STUDY, Level.SERIES]),
        (Level.SERIES, {"study_instance_uid": "1.2"}, [Level.SERIES]),
        (Level.INSTANCE, {"study_instance_uid": "1.2"}, [Level.SERIES, Level.INSTANCE]),
        (Level.INSTANCE, {"study_instance_uid": "1.2", "series_instance_uid": "1.3"}, [Level.INSTANCE]),
    ],
)
def test_levels_that_the_path_names_are_not_shown(level: Level, path: dict[str, str], shown: list[Level]) -> None:
    assert levels_shown(QidoQuery.parse(level, [], **path)) == shown


def test_a_level_that_the_path_names_is_shown_where_one_of_its_attributes_is_asked_for() -> None:
    query = QidoQuery.parse(Level.SERIES, [("includefield", "PatientName")], study_instance_uid="1.2")
    assert levels_shown(query) == [Level.STUDY, Level.SERIES]


def test_attributes_outside_the_table_come_from_the_data_set_where_it_has_them() -> None:
    data_set = {"00180050": {"vr": "DS", "Value": [2.5]}, "00180060": {"vr": "DS", "Value": [120]}}
    answer = describe(data_set, ("includefield", "SliceThickness,EchoTime"))
    assert answer == ALONE | {"00180050": {"vr": "DS", "Value": [2.5]}}


@pytest.mark.parametrize(
    ("data_set", "shown"),
    [
        # The creator may have any block; the same element of another creator's block is another attribute.
        (
            {
                "00090010": {"vr": "LO", "Value": ["OTHER"]},
                "00090011": {"vr": "LO", "Value": ["ACME "]},
                "00091001": {"vr": "LO", "Value": ["theirs"]},
                "00091101": {"vr": "LO", "Value": ["ours"]},
            },
            {"00090011": {"vr": "LO", "Value": ["ACME "]}, "00091101": {"vr": "LO", "Value": ["ours"]}},
        ),
        ({"00090010": {"vr": "LO", "Value": ["ACME"]}, "00091002": {"vr": "LO", "Value": ["another"]}}, {}),
        ({"00091001": {"vr": "LO", "Value": ["nobody's"]}}, {}),
    ],
)
def test_a_private_attribute_is_shown_with_its_creator(data_set: DicomJson, shown: DicomJson) -> None:
    answer = describe(data_set, ("includefield", "00091001"), ("00090010", "ACME"))
    assert answer == ALONE | shown
