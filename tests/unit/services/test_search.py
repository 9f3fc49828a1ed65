"""The search service over an index in memory."""

import dataclasses
import json
import logging

import pytest

from chalicelib.adapters.memory.index import MemoryIndex
from chalicelib.dicomweb.attributes import Level
from chalicelib.dicomweb.compression import compress
from chalicelib.dicomweb.qido.query import QidoQuery
from chalicelib.dicomweb.qido.response import AROUND_RESULT_BYTES, AnswerFormat
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.errors import ContentTooLargeError, NotFoundError
from chalicelib.ports import SearchPage
from chalicelib.services.search import SearchService
from tests.support.qido_builders import AnsweringRecords, make_publication, make_series, publish

PUBLICATION = make_publication(
    "1.2",
    [make_series("1.2.1", ["1.2.1.1", "1.2.1.2"], Modality="CT"), make_series("1.2.2", ["1.2.2.1"])],
    PatientID="P",
)


@pytest.fixture
def service() -> SearchService:
    index = MemoryIndex()
    publish(index, PUBLICATION)
    return SearchService(
        index=index, records=AnsweringRecords(PUBLICATION), dicomweb_root="/dicomweb", read_static=_no_static_object
    )


def _no_static_object(key: str) -> bytes:
    raise NotFoundError(key)


def search(service: SearchService, query: QidoQuery):
    return service.search(query, AnswerFormat("application/dicom+json").render)


def results(service: SearchService, query: QidoQuery) -> list[dict]:
    return [json.loads(result) for result in search(service, query).results]


def test_all_documents_of_a_page_are_read_at_once_and_none_twice(service):
    search(service, QidoQuery.parse(Level.INSTANCE, []))
    [keys] = service.records.calls
    assert sorted(keys, key=lambda key: (key.series_instance_uid or "", key.sop_instance_uid or "")) == [
        ResourceUids("1.2"),
        ResourceUids("1.2", "1.2.1"),
        ResourceUids("1.2", "1.2.1", "1.2.1.1"),
        ResourceUids("1.2", "1.2.1", "1.2.1.2"),
        ResourceUids("1.2", "1.2.2"),
        ResourceUids("1.2", "1.2.2", "1.2.2.1"),
    ]


def test_levels_that_the_path_names_are_not_read(service):
    search(service, QidoQuery.parse(Level.INSTANCE, [], study_instance_uid="1.2", series_instance_uid="1.2.2"))
    assert service.records.calls == [[ResourceUids("1.2", "1.2.2", "1.2.2.1")]]


def test_nothing_is_read_where_nothing_is_found(service):
    answer = search(service, QidoQuery.parse(Level.STUDY, [("PatientID", "nobody")]))
    assert (answer.results, answer.remaining, answer.warnings) == ([], 0, ())
    assert service.records.calls == []


def test_an_attribute_of_a_level_above_keeps_its_value_from_there(service):
    [answer] = results(service, QidoQuery.parse(Level.INSTANCE, [("SOPInstanceUID", "1.2.2.1")]))
    assert answer["00201208"]["Value"] == [3]
    assert answer["00201209"]["Value"] == [1]
    assert answer["00080061"]["Value"] == ["CT"]


def test_a_hit_without_its_document_is_answered_with_its_uids_and_told_of(service, caplog):
    del service.records.answers[ResourceUids("1.2", "1.2.1")]
    with caplog.at_level(logging.ERROR):
        answer = search(service, QidoQuery.parse(Level.SERIES, [], study_instance_uid="1.2"))
    assert json.loads(answer.results[0]) == {
        "00080005": {"vr": "CS", "Value": ["ISO_IR 192"]},
        "00080056": {"vr": "CS", "Value": ["ONLINE"]},
        "00081190": {"vr": "UR", "Value": ["/dicomweb/studies/1.2/series/1.2.1"]},
        "0020000D": {"vr": "UI", "Value": ["1.2"]},
        "0020000E": {"vr": "UI", "Value": ["1.2.1"]},
    }
    assert len(answer.results) == 2
    assert answer.warnings == ("1 of the results are incomplete",)
    [record] = caplog.records
    assert record.series_instance_uid == "1.2.1"


def test_warnings_of_the_query_follow_the_count_of_what_remains(service):
    answer = search(service, QidoQuery.parse(Level.INSTANCE, [("limit", "1"), ("includefield", "PatientShoeSize")]))
    assert answer.remaining == 2
    assert answer.warnings == (
        "There are 2 additional results that can be requested",
        "The includefield PatientShoeSize is not supported and has been ignored.",
    )


def test_a_page_larger_than_an_answer_is_cut_and_what_is_left_remains(service):
    query = QidoQuery.parse(Level.INSTANCE, [("limit", "2")])
    first, second = search(service, query).results
    room = len(first) + len(second) + 2 * AROUND_RESULT_BYTES
    small = dataclasses.replace(service, max_bytes=room)
    assert (small.index, search(small, query).results) == (service.index, [first, second])
    cut = search(dataclasses.replace(service, max_bytes=room - 1), query)
    assert (cut.results, cut.remaining) == ([first], 2)
    assert cut.warnings == ("There are 2 additional results that can be requested",)


def test_a_result_too_large_for_any_answer_is_refused(service):
    with pytest.raises(ContentTooLargeError):
        search(dataclasses.replace(service, max_bytes=100), QidoQuery.parse(Level.STUDY, []))


def test_large_documents_are_read_only_as_far_as_they_fit():
    publications = [make_publication(f"1.{number}", StudyDescription="x" * 10_000) for number in range(900)]
    index = MemoryIndex()
    for publication in publications:
        publish(index, publication)
    service = SearchService(
        index=index,
        records=AnsweringRecords(*publications),
        dicomweb_root="/dicomweb",
        read_static=_no_static_object,
    )
    answer = search(service, QidoQuery.parse(Level.STUDY, []))
    assert 380 < len(answer.results) < 420  # of 10 KB, in 4 MiB
    assert len(answer.results) + answer.remaining == 900
    assert len(service.records.calls) == 4  # not all of the 900
    rest = search(service, QidoQuery.parse(Level.STUDY, [("offset", str(len(answer.results)))]))
    assert json.loads(rest.results[0])["0020000D"] != json.loads(answer.results[-1])["0020000D"]


class _UncountableIndex(MemoryIndex):
    def search(self, query: QidoQuery) -> SearchPage:
        return SearchPage(super().search(query).keys, 1000, all_counted=False)


def test_where_counting_ended_the_warning_says_at_least(service):
    uncountable = _UncountableIndex()
    publish(uncountable, PUBLICATION)
    answer = search(dataclasses.replace(service, index=uncountable), QidoQuery.parse(Level.STUDY, []))
    assert answer.warnings == ("There are at least 1000 additional results that can be requested",)


DATA_SET = {
    "00080016": {"vr": "UI", "Value": ["not shown from here"]},
    "00090010": {"vr": "LO", "Value": ["OTHER"]},
    "00090011": {"vr": "LO", "Value": ["ACME "]},
    "00091001": {"vr": "LO", "Value": ["other's"]},
    "00091101": {"vr": "LO", "Value": ["ours"]},
    "00180050": {"vr": "DS", "Value": [2.5]},
    "00400275": {"vr": "SQ", "Value": [{"00400007": {"vr": "LO", "Value": ["step"]}}]},
}


@pytest.mark.parametrize("in_record", [True, False])
def test_attributes_outside_the_table_come_from_the_instance_s_own_data_set(service, in_record):
    key = ResourceUids("1.2", "1.2.1", "1.2.1.1")
    metadata = compress(json.dumps([DATA_SET]).encode())
    service.records.metadata[key] = metadata if in_record else None
    kept = {"dicomweb/studies/1.2/series/1.2.1/instances/1.2.1.1/metadata": metadata}
    pairs = [
        ("SOPInstanceUID", "1.2.1.1"),
        ("includefield", "SliceThickness,00189999,RequestAttributesSequence.00400007"),
        ("includefield", "00091001"),
        ("00090010", "ACME"),
    ]
    query = QidoQuery.parse(Level.INSTANCE, pairs)
    [answer] = results(dataclasses.replace(service, read_static=kept.__getitem__), query)
    assert {tag: answer.get(tag) for tag in ("00180050", "00091101", "00090011", "00400275")} == {
        tag: DATA_SET[tag] for tag in ("00180050", "00091101", "00090011", "00400275")
    }
    assert not {"00091001", "00090010", "00189999"} & set(answer)
    assert answer["00080016"]["Value"] == ["1.2.840.10008.5.1.4.1.1.2"]
    assert query.warnings == ()


def test_a_private_attribute_that_no_instance_has_is_left_out(service):
    service.records.metadata[ResourceUids("1.2", "1.2.1", "1.2.1.1")] = compress(json.dumps([DATA_SET]).encode())
    pairs = [("SOPInstanceUID", "1.2.1.1"), ("includefield", "00091002"), ("00090010", "ACME")]
    [answer] = results(service, QidoQuery.parse(Level.INSTANCE, pairs))
    assert not [tag for tag in answer if tag.startswith("0009")]


def test_a_hit_whose_data_set_is_missing_is_told_to_be_incomplete(service):
    query = QidoQuery.parse(Level.INSTANCE, [("SOPInstanceUID", "1.2.1.1"), ("includefield", "SliceThickness")])
    answer = service.search(query, AnswerFormat("application/dicom+json").render)
    assert len(answer.results) == 1
    assert answer.warnings == ("1 of the results are incomplete",)
