"""Planned searches on a connection that answers by a script: which access is chosen, and what is counted."""

import json
from typing import Any

import pytest

from chalicelib.adapters.mysql.plan import plan
from chalicelib.adapters.mysql.search import SearchLimits, find_page
from chalicelib.dicomweb.attributes import Level
from chalicelib.dicomweb.qido.query import QidoQuery
from chalicelib.dicomweb.resources import ResourceUids
from tests.support.fake_connection import FakeConnection

LIMITS = SearchLimits(candidates=4, candidates_by_name=2, conjunction=6, counted=3, look_ahead=2, far_offset=10)


class Connection(FakeConnection):
    """Gives the keys of the candidate lists one list after the other, and `hits` studies for every page."""

    def __init__(self, *lists: int, hits: int = 1, studies_in_days: int = 1000) -> None:
        super().__init__()
        self.steps: list[str] = []
        self._lists = [list(range(1, length + 1)) for length in lists]
        self._hits = hits
        self._studies_in_days = studies_in_days
        self._rows: list[tuple[Any, ...]] = []

    def get_server_info(self) -> str:
        return "8.0.36"

    def execute(self, sql: str, params: tuple[Any, ...]) -> None:
        if "JSON_ARRAYAGG" in sql:
            self.steps.append(f"keys {params[-1]}")
            keys = self._lists.pop(0)
            self._rows = [(json.dumps(keys) if keys else None,)]
        elif "SUM(studies)" in sql and "later" not in sql:
            self.steps.append("total")
            self._rows = [(self._studies_in_days,)]
        elif "later" in sql:
            self.steps.append("skip")
            self._rows = [(738886, 8)]
        else:
            access = "scan" if "FORCE INDEX (studies_order)" in sql else "server"
            self.steps.append(f"among {params[0]}" if "JSON_TABLE" in sql else access)
            found = self._hits if "COUNT(*) OVER ()" in sql else None
            self._rows = [(f"1.{number}", found) for number in range(min(self._hits, params[-2]))]

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows


def search(connection: Any, *pairs: tuple[str, str]) -> tuple[int, int, bool]:
    """Number of hits on the page, number of hits after it, and whether that is exact."""
    page = find_page(connection, plan(QidoQuery.parse(Level.STUDY, [*pairs, ("limit", "2")])), LIMITS)
    assert all(isinstance(key, ResourceUids) for key in page.keys)
    return len(page.keys), page.remaining, page.all_counted


PATIENT, ACCESSION, NAME = ("PatientID", "P"), ("AccessionNumber", "A"), ("PatientName", "*^jo*")


@pytest.mark.parametrize(
    ("pairs", "lists", "steps"),
    [
        ([PATIENT], (3,), ["keys 5", "among [1, 2, 3]"]),
        ([PATIENT], (4,), ["keys 5", "among [1, 2, 3, 4]"]),
        ([PATIENT], (5,), ["keys 5", "scan"]),
        ([PATIENT], (0,), ["keys 5"]),
        # The index with the order covers the names: an ordered scan costs less.
        ([NAME], (3,), ["keys 3", "scan"]),
        # Several lists: the last is read to the limit of an intersection, and then the others are.
        ([PATIENT, ACCESSION], (5, 2), ["keys 5", "keys 7", "among [1, 2]"]),
        ([PATIENT, ACCESSION], (5, 6, 5), ["keys 5", "keys 7", "keys 7", "among [1, 2, 3, 4, 5]"]),
        ([PATIENT, ACCESSION], (5, 7, 7), ["keys 5", "keys 7", "keys 7", "scan"]),
        # No index serves the condition.
        ([("PatientSex", "F")], (), ["scan"]),
        ([("StudyInstanceUID", "1.2"), PATIENT], (), ["server"]),
    ],
)
def test_a_short_candidate_list_is_used_and_else_the_order_is_scanned(pairs, lists, steps):
    connection = Connection(*lists)
    search(connection, *pairs)
    assert connection.steps == steps


def test_few_studies_in_a_range_of_dates_are_scanned_without_reading_a_list():
    few, many = Connection(studies_in_days=3), Connection(1, studies_in_days=4)
    search(few, ("StudyDate", "20240101-"), PATIENT)
    search(many, ("StudyDate", "20240101-"), PATIENT)
    assert few.steps == ["total", "scan"]
    assert many.steps == ["total", "keys 5", "among [1]"]


@pytest.mark.parametrize(
    ("candidates", "hits", "found"),
    [(3, 9, (2, 7, True)), (4, 4, (2, 2, True)), (4, 9, (2, 3, False)), (5, 9, (2, 3, False)), (0, 9, (0, 0, True))],
)
def test_hits_are_counted_among_few_candidates_and_else_up_to_the_look_ahead(candidates, hits, found):
    assert search(Connection(candidates, hits=hits), PATIENT) == found


def test_the_days_count_the_hits_of_a_search_that_only_the_date_restricts():
    connection = Connection(hits=9)
    assert search(connection, ("StudyDate", "20240101-")) == (2, 998, True)
    assert connection.steps == ["scan", "total"]


def test_a_far_page_is_skipped_to_by_the_day():
    connection = Connection(hits=2)
    assert search(connection, ("offset", "10")) == (2, 0, True)
    assert connection.steps == ["skip", "scan"]
