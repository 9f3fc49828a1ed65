"""The search service over an index in memory."""

import logging

import pytest

from chalicelib.adapters.memory_index import MemoryIndex
from chalicelib.dicomweb.qido_query import Level, QidoQuery
from chalicelib.ports import RecordKey
from chalicelib.services.search import SearchService
from tests.qido_builders import AnsweringRecords, make_publication, make_series, publish

PUBLICATION = make_publication(
    "1.2",
    [make_series("1.2.1", ["1.2.1.1", "1.2.1.2"], Modality="CT"), make_series("1.2.2", ["1.2.2.1"])],
    PatientID="P",
)


@pytest.fixture
def service() -> SearchService:
    index = MemoryIndex()
    publish(index, PUBLICATION)
    return SearchService(index=index, records=AnsweringRecords(PUBLICATION), dicomweb_root="/dicomweb")


def test_all_documents_of_a_page_are_read_at_once_and_none_twice(service):
    service.search(QidoQuery.parse(Level.INSTANCE, []))
    [keys] = service.records.calls
    assert sorted(keys, key=lambda key: (key.series_instance_uid or "", key.sop_instance_uid or "")) == [
        RecordKey("1.2"),
        RecordKey("1.2", "1.2.1"),
        RecordKey("1.2", "1.2.1", "1.2.1.1"),
        RecordKey("1.2", "1.2.1", "1.2.1.2"),
        RecordKey("1.2", "1.2.2"),
        RecordKey("1.2", "1.2.2", "1.2.2.1"),
    ]


def test_levels_that_the_path_names_are_not_read(service):
    service.search(QidoQuery.parse(Level.INSTANCE, [], study_instance_uid="1.2", series_instance_uid="1.2.2"))
    assert service.records.calls == [[RecordKey("1.2", "1.2.2", "1.2.2.1")]]


def test_nothing_is_read_where_nothing_is_found(service):
    answer = service.search(QidoQuery.parse(Level.STUDY, [("PatientID", "nobody")]))
    assert (answer.dicom_json, answer.remaining, answer.warnings) == ([], 0, ())
    assert service.records.calls == []


def test_an_attribute_of_a_level_above_keeps_its_value_from_there(service):
    [answer] = service.search(QidoQuery.parse(Level.INSTANCE, [("SOPInstanceUID", "1.2.2.1")])).dicom_json
    assert answer["00201208"]["Value"] == [3]
    assert answer["00201209"]["Value"] == [1]
    assert answer["00080061"]["Value"] == ["CT"]


def test_a_hit_without_its_document_is_answered_with_its_uids_and_told_of(service, caplog):
    del service.records.answers[RecordKey("1.2", "1.2.1")]
    with caplog.at_level(logging.ERROR):
        answer = service.search(QidoQuery.parse(Level.SERIES, [], study_instance_uid="1.2"))
    assert answer.dicom_json[0] == {
        "00080005": {"vr": "CS", "Value": ["ISO_IR 192"]},
        "00080056": {"vr": "CS", "Value": ["ONLINE"]},
        "00081190": {"vr": "UR", "Value": ["/dicomweb/studies/1.2/series/1.2.1"]},
        "0020000D": {"vr": "UI", "Value": ["1.2"]},
        "0020000E": {"vr": "UI", "Value": ["1.2.1"]},
    }
    assert len(answer.dicom_json) == 2
    assert answer.warnings == ("1 of the results are incomplete",)
    [record] = caplog.records
    assert record.series_instance_uid == "1.2.1"


def test_warnings_of_the_query_follow_the_count_of_what_remains(service):
    answer = service.search(QidoQuery.parse(Level.INSTANCE, [("limit", "1"), ("includefield", "PatientShoeSize")]))
    assert answer.remaining == 2
    assert answer.warnings == (
        "There are 2 additional results that can be requested",
        "The includefield PatientShoeSize is not supported and has been ignored.",
    )
