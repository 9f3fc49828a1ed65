"""Documents of a study, its series and its instances, and the metadata of several instances as one array."""

import json

import pytest

from chalicelib.dicomweb.attributes import DicomJson
from chalicelib.dicomweb.compression import compress
from chalicelib.dicomweb.wado.study_documents import derive_documents, join_metadata, text_of
from tests.support.qido_builders import document


def instance(series: str, number: str, **attributes: object) -> DicomJson:
    return document(StudyInstanceUID="1", SeriesInstanceUID=series, SOPInstanceUID=number, **attributes)


def test_a_study_counts_its_series_and_instances_and_names_their_modalities() -> None:
    documents = derive_documents(
        [
            instance("1.10", "a", Modality="SR"),
            instance("1.9", "b", Modality="CT"),
            instance("1.10", "c", Modality="SR"),
            instance("1.8", "d", Modality=None),
        ]
    )
    assert documents.study == {
        "00080061": {"vr": "CS", "Value": ["CT", "SR"]},
        "0020000D": {"vr": "UI", "Value": ["1"]},
        "00201206": {"vr": "IS", "Value": [3]},
        "00201208": {"vr": "IS", "Value": [4]},
    }
    assert list(documents.series) == ["1.10", "1.8", "1.9"]
    assert documents.series["1.10"] == {
        "00080060": {"vr": "CS", "Value": ["SR"]},
        "0020000D": {"vr": "UI", "Value": ["1"]},
        "0020000E": {"vr": "UI", "Value": ["1.10"]},
        "00201209": {"vr": "IS", "Value": [2]},
    }
    assert [text_of(one, "SOPInstanceUID") for one in documents.instances] == ["a", "b", "c", "d"]


def test_a_study_without_modalities_shows_the_attribute_empty() -> None:
    assert derive_documents([instance("1.1", "a")]).study["00080061"] == {"vr": "CS"}


def test_the_value_that_was_stored_last_is_shown_and_an_empty_one_hides_none() -> None:
    study = derive_documents(
        [
            instance("1.1", "a", PatientID="old", AccessionNumber=None),
            instance("1.1", "b", PatientID="new"),
            instance("1.1", "c", PatientID=None),
        ]
    ).study
    assert study["00100020"] == {"vr": "LO", "Value": ["new"]}
    assert study["00080050"] == {"vr": "SH"}


def test_counts_that_an_instance_brings_along_do_not_count() -> None:
    study = derive_documents([instance("1.1", "a", NumberOfStudyRelatedInstances=99, ModalitiesInStudy="XX")]).study
    assert study["00201208"] == {"vr": "IS", "Value": [1]}
    assert study["00080061"] == {"vr": "CS"}


@pytest.mark.parametrize(
    ("element", "text"),
    [(None, ""), ({"vr": "IS"}, ""), ({"vr": "IS", "Value": [None]}, ""), ({"vr": "IS", "Value": [7]}, "7")],
)
def test_the_text_of_an_attribute_is_its_first_value(element: object, text: str) -> None:
    assert text_of({} if element is None else {"00200013": element}, "InstanceNumber") == text


def test_metadata_of_several_instances_is_one_array() -> None:
    arrays = [compress(b'[{"a":1}]'), compress(b'[{"b":2}]')]
    assert json.loads(join_metadata(arrays)) == [{"a": 1}, {"b": 2}]
    assert join_metadata([]) == b"[]"
