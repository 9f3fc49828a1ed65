"""Paging: limit and offset (PS3.18 §8.3.4.4), and results that are too large for one answer."""

import base64
import json

import pytest

from chalicelib.adapters.memory.index import MemoryIndex
from chalicelib.errors import SearchTooBroadError
from tests.conformance.qido.answers import ROOT, XML, answering, uids, xml_uids
from tests.support.qido_builders import AnsweringRecords, make_publication, publish


def test_what_remains_is_counted_in_a_warning(get):
    response = get("/studies?limit=3&offset=1")
    assert response.status_code == 200
    assert response.headers["Warning"] == (f'299 {ROOT}: "There are 4 additional results that can be requested"')
    assert "Warning" not in get("/studies?limit=3&offset=5").headers


def test_a_limit_of_zero_counts_only(get):
    response = get("/studies?limit=0")
    assert (response.status_code, json.loads(response.body)) == (200, [])
    assert "There are 8 additional results" in response.headers["Warning"]


def test_nothing_found_is_204_without_a_body(get):
    response = get("/studies?PatientID=nobody")
    assert (response.status_code, response.body) == (204, b"")


LAMBDA_ANSWER_BYTES = 6 * 1024 * 1024


@pytest.mark.parametrize("accept", ["application/dicom+json", XML])
def test_pages_of_large_results_stay_below_the_payload_limit_and_lose_none(accept, monkeypatch):
    """100 studies of 150 KB each: 15 MB, of which one answer of a function holds 6 MB in base64."""
    publications = [make_publication(f"1.{n}", StudyDescription="\u5c71" * 50_000) for n in range(100)]
    index = MemoryIndex()
    for publication in publications:
        publish(index, publication)
    found: list[str] = []
    with answering(index, AnsweringRecords(*publications), monkeypatch) as send:
        while True:
            response = send(f"/studies?offset={len(found)}", accept)
            assert response.status_code == 200
            assert len(base64.b64encode(response.body)) + 10_000 < LAMBDA_ANSWER_BYTES
            found += xml_uids(response) if accept == XML else uids(response)
            if len(found) == 100:
                break
            assert f"There are {100 - len(found)} additional results" in response.headers["Warning"]
    assert "Warning" not in response.headers
    assert len(set(found)) == 100


class _SlowIndex(MemoryIndex):
    def search(self, query):
        raise SearchTooBroadError("the search is too broad to be answered in time")


def test_a_search_too_broad_to_serve_is_413(monkeypatch):
    with answering(_SlowIndex(), AnsweringRecords(), monkeypatch) as send:
        response = send("/instances")
    assert response.status_code == 413
    assert "too broad" in json.loads(response.body)["error"]


def test_a_result_larger_than_any_answer_is_413(monkeypatch):
    publication = make_publication("1.1", StudyDescription="x" * 5_000_000)
    index = MemoryIndex()
    publish(index, publication)
    with answering(index, AnsweringRecords(publication), monkeypatch) as send:
        assert send("/studies").status_code == 413
