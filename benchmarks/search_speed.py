"""Measures searches on the databases that `benchmarks.search_fill` made, and prints tables in Markdown.

    python -m benchmarks.search_speed [--runs N] [--now] [--plans] [--publish] [STUDIES ...]

For each search: milliseconds of the index alone (`MysqlIndex.search`: all statements of one search, in this
process), of the search service that uses it (with records in memory), and the rows that the server read for it
(``Handler_read%``). "Before" is the time without the search plan of the adapter: the server receives one statement for
the page and one for the count, and its optimizer chooses the plan.
"""

import argparse
import re
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from pymysql.connections import Connection
from pymysql.cursors import Cursor

from benchmarks.search_database import database_server, secret_of
from benchmarks.search_fill import SIZES
from benchmarks.search_population import CHUNK, make_studies
from benchmarks.search_queries import searches
from chalicelib.adapters.mysql import publication
from chalicelib.adapters.mysql.connections import connection_factory
from chalicelib.adapters.mysql.index import MysqlIndex
from chalicelib.adapters.mysql.plan import plan
from chalicelib.adapters.mysql.statements import page_statement
from chalicelib.dicomweb.attributes import DicomJson
from chalicelib.dicomweb.media_types import DICOM_JSON
from chalicelib.dicomweb.qido.query import QidoQuery
from chalicelib.dicomweb.qido.response import AnswerFormat
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.ports import AggregateState, StudyPublication
from chalicelib.services.search import SearchService
from tests.support.database_server import Server

_EARLY_END_SECONDS = 5  # a search is not repeated any more after this time in total


class _OneDocument:
    """Records that return the document of the same study for all keys."""

    def __init__(self, document: DicomJson) -> None:
        self._document = document

    def get_qido_answers(self, keys: Sequence[ResourceUids]) -> Mapping[ResourceUids, DicomJson]:
        return dict.fromkeys(keys, self._document)


def search_before(connection: "Connection[Any]", query: QidoQuery) -> None:
    """Run one search with the plan of the server's optimizer."""
    page = page_statement(plan(query))
    alone = page.sql.replace(", COUNT(*) OVER ()", "")
    with connection.cursor() as cursor:
        cursor.execute(alone, page.params)
        if len(cursor.fetchall()) > query.limit:
            unordered = alone.partition(" ORDER BY ")[0].partition(" FROM ")[2]
            cursor.execute(f"SELECT COUNT(*) FROM {unordered}", page.params[:-2])
            cursor.fetchall()


def timed(work: Callable[[], object], runs: int) -> tuple[float, float]:
    """Return median and 95th percentile of the milliseconds that `work` takes, after one run to warm up."""
    work()
    taken: list[float] = []
    while len(taken) < 3 or (len(taken) < runs and sum(taken) < _EARLY_END_SECONDS * 1000):
        begun = time.perf_counter()
        work()
        taken.append((time.perf_counter() - begun) * 1000)
    ordered = sorted(taken)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]


def rows_read(connection: "Connection[Any]", work: Callable[[], object]) -> int:
    """Return the number of rows that the server reads for `work` on this connection."""

    def total() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
            return sum(int(number) for _, number in cursor.fetchall())

    nothing = -total() + total()  # the cost of the status query itself
    before = total()
    work()
    return total() - before - nothing


@contextmanager
def recorded(statements: list[tuple[str, Any]]) -> Iterator[None]:
    """Append all statements that are executed in the block to a list."""
    execute = Cursor.execute

    def noting(self: Cursor, sql: str, params: Any = None) -> int:
        statements.append((sql, params))
        return execute(self, sql, params)

    Cursor.execute = noting  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Cursor.execute = execute  # type: ignore[method-assign]


def measure(server: Server, studies: int, *, runs: int, before: bool, plans: bool) -> None:
    """Print the table of one size."""
    opened: list[Connection[Any]] = []
    factory = connection_factory(secret_of(server, studies))

    def connect_once() -> "Connection[Any]":
        opened.append(factory())
        return opened[-1]

    index = MysqlIndex(connect_once)
    plain = factory()
    study = next(make_studies(0, 1))
    service = SearchService(
        index=index,
        records=_OneDocument(study.document),  # type: ignore[arg-type]
        dicomweb_root="https://archive.example/dicomweb",
        read_static=lambda _key: b"",
    )
    print(f"\n### {studies} studies\n")
    before_names = "before: p50 / p95 ms | rows read | " if before else ""
    print(f"| search | hits shown, more | {before_names}now: p50 / p95 ms | rows read | service |")
    print("|---|---|---|---|---|" + "---|---|" * before)
    for name, (level, pairs, path) in searches(studies).items():
        query = QidoQuery.parse(level, pairs, **path)
        page = index.search(query)
        then = f"{measure_before(plain, query, runs)} | " if before else ""
        now = timed(lambda query=query: index.search(query), runs)  # type: ignore[misc]
        rows_now = rows_read(opened[0], lambda query=query: index.search(query))  # type: ignore[misc]
        whole = timed(lambda query=query: service.search(query, AnswerFormat(DICOM_JSON).render), min(runs, 20))  # type: ignore[misc]
        more = f"{'' if page.all_counted else '≥ '}{page.remaining}"
        print(
            f"| {name} | {len(page.keys)}, {more} | {then}{now[0]:.1f} / {now[1]:.1f} | {rows_now} | {whole[0]:.1f} |",
            flush=True,
        )
        if plans:
            print_plans(index, plain, query)
    plain.close()
    index.close()


def measure_before(connection: "Connection[Any]", query: QidoQuery, runs: int) -> str:
    """Return time and rows read of `search_before`, as cells of a table."""
    median, percentile = timed(lambda: search_before(connection, query), runs)
    rows = rows_read(connection, lambda: search_before(connection, query))
    return f"{median:.1f} / {percentile:.1f} | {rows}"


def print_plans(index: MysqlIndex, connection: "Connection[Any]", query: QidoQuery) -> None:
    """Print each statement of a search with its plan."""
    statements: list[tuple[str, Any]] = []
    with recorded(statements):
        index.search(query)
    with connection.cursor() as cursor:
        for sql, params in statements:
            # EXPLAIN takes the statement without its time limit.
            select = sql.partition(" FOR ")[2] or re.sub(r"/\*\+.*?\*/ ", "", sql)
            cursor.execute(f"EXPLAIN FORMAT=TRADITIONAL {select}", params)
            names = [column[0] for column in cursor.description]
            print(f"\n    {select}")
            for row in cursor.fetchall():
                step = dict(zip(names, row, strict=True))
                print(
                    f"      {step['select_type']} {step['table']}: {step['type']} by {step['key']}, "
                    f"{step['rows']} rows; {step['Extra']}"
                )
    print()


def measure_publication(server: Server, studies: int, runs: int) -> None:
    """Print the time of a study's first and second publication, with and without the index of text endings."""
    index = MysqlIndex(connection_factory(secret_of(server, studies)))
    print(f"\n### Publications, {studies} studies\n")
    print("| | first: p50 / p95 ms | again: p50 / p95 ms | statements |")
    print("|---|---|---|---|")
    for number, (name, left_out) in enumerate(
        (
            ("without text endings", ("insert_missing_text_endings",)),
            ("with text endings", ()),
            ("without, again", ("insert_missing_text_endings",)),
            ("with, again", ()),
        )
    ):
        with ExitStack() as stack:
            for function in left_out:
                stack.enter_context(patch.object(publication, function, lambda *_: None))
            statements: list[tuple[str, Any]] = []
            stack.enter_context(recorded(statements))
            first, again = _publish(index, studies // CHUNK + 1 + number, runs)
        each = len(statements) / (2 * runs)
        print(f"| {name} | {_shown(first)} | {_shown(again)} | {each:.1f} |", flush=True)
    index.close()


def _publish(index: MysqlIndex, chunk: int, runs: int) -> tuple[list[float], list[float]]:
    """Publish new studies twice each; returns the milliseconds of the first and of the second commits."""
    taken: tuple[list[float], list[float]] = ([], [])
    for study in make_studies(chunk, runs):
        publication = StudyPublication(
            study_instance_uid=study.document["0020000D"]["Value"][0],
            study=study.document,
            series={series.document["0020000E"]["Value"][0]: series.document for series in study.series},
            instances=[
                {**series.instance, "00080018": {"vr": "UI", "Value": [uid]}}
                for series in study.series
                for uid in series.sop_instance_uids
            ],
            aggregates={"": AggregateState("etag", "digest")},
        )
        for version, milliseconds in enumerate(taken, 1):
            with index.turn(publication.study_instance_uid) as turn:
                begun = time.perf_counter()
                turn.commit(version, publication)
                milliseconds.append((time.perf_counter() - begun) * 1000)
    return taken


def _shown(milliseconds: list[float]) -> str:
    ordered = sorted(milliseconds)
    return f"{statistics.median(ordered):.2f} / {ordered[round(0.95 * (len(ordered) - 1))]:.2f}"


def main() -> None:
    """Measure all sizes."""
    parser = argparse.ArgumentParser(description="Measure searches.")
    parser.add_argument("studies", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--now", action="store_true", help="do not measure the plan of the server's optimizer")
    parser.add_argument("--plans", action="store_true", help="print every statement with its plan")
    parser.add_argument("--publish", action="store_true", help="measure publications instead; they stay")
    options = parser.parse_args()
    with database_server() as server:
        for studies in options.studies:
            if options.publish:
                measure_publication(server, studies, options.runs)
            else:
                measure(server, studies, runs=options.runs, before=not options.now, plans=options.plans)


if __name__ == "__main__":
    main()
