"""The index on a database server: the plans of its statements, and the limits of a search."""

import pytest

from chalicelib.adapters.mysql.conditions import Statement
from chalicelib.adapters.mysql.index import MysqlIndex
from chalicelib.adapters.mysql.plan import plan
from chalicelib.adapters.mysql.search import SearchLimits
from chalicelib.dicomweb.attributes import Level
from chalicelib.dicomweb.qido.query import QidoQuery
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.errors import SearchTooBroadError
from tests.support.qido_builders import make_publication, publish, search

# Runs for minutes unless the server ends it.
COLUMNS = "information_schema.columns"
ENDLESS = Statement(f"SELECT COUNT(*) FROM {COLUMNS} AS a, {COLUMNS} AS b, {COLUMNS} AS c")


def test_a_search_that_takes_too_long_is_refused_and_costs_no_connection(connect, monkeypatch):
    index = MysqlIndex(connect, limits=SearchLimits(page_seconds=0.05))
    publish(index, make_publication("1.2"))
    with monkeypatch.context() as patch:
        patch.setattr("chalicelib.adapters.mysql.search.page_statement", lambda *_, **__: ENDLESS)
        with pytest.raises(SearchTooBroadError):
            search(index, Level.STUDY)
    monkeypatch.setattr(index._pool, "_connect", None)
    assert search(index, Level.STUDY).keys == [ResourceUids("1.2")]
    index.close()


def test_where_the_order_is_walked_hits_after_the_page_are_counted_to_a_limit(connect):
    index = MysqlIndex(connect, limits=SearchLimits(candidates=1, look_ahead=3))
    for number in range(10):
        publish(index, make_publication(f"1.{number}", PatientID=f"P{number}"))
    pages = [search(index, Level.STUDY, ("PatientID", "P*"), ("limit", "2"), ("offset", n)) for n in ("0", "5", "9")]
    assert [(len(page.keys), page.remaining, page.all_counted) for page in pages] == [
        (2, 4, False),
        (2, 3, True),
        (1, 0, True),
    ]
    index.close()


@pytest.mark.parametrize("dates", [("20240301-", 4), ("-20240303", 4), ("*", 6)])
def test_a_far_page_is_the_one_that_walking_would_find(connect, dates):
    near, far = MysqlIndex(connect), MysqlIndex(connect, limits=SearchLimits(far_offset=1))
    for number, day in enumerate(["20240301", "20240301", "20240303", "20240303", None, None]):
        publish(near, make_publication(f"1.{number}", StudyDate=day))
    text, studies = dates
    for offset in range(studies + 2):
        keys = [("StudyDate", text), ("limit", "2"), ("offset", str(offset))]
        assert search(far, Level.STUDY, *keys) == search(near, Level.STUDY, *keys)
    near.close()
    far.close()


def test_words_of_names_are_looked_up_in_their_indexes(connect):
    index = MysqlIndex(connect)
    for number in range(300):
        publish(index, make_publication(f"1.{number}", PatientName=f"Name{number}^Given{number}"))
    publish(index, make_publication("1.999", PatientName="Doe^Jane"))
    [[inside, _]] = plan(QidoQuery.parse(Level.STUDY, [("PatientName", "*oe*")])).candidate_lists
    assert _plan(connect, inside, "person_name_words, person_name_endings") == [
        ("person_name_endings", "range", "PRIMARY"),
        ("person_name_words", "ref", "PRIMARY"),
    ]
    index.close()


def _plan(connect, statement: Statement, tables: str) -> list[tuple[str, str, str]]:
    """Table, kind of access and key, for each step of the server's plan."""
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"ANALYZE TABLE {tables}")
        # Without FORMAT, MySQL may show a tree.
        cursor.execute(f"EXPLAIN FORMAT=TRADITIONAL {statement.sql}", statement.params)
        columns = [column[0] for column in cursor.description]
        steps = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    return [(row["table"], row["type"], row["key"]) for row in steps]


@pytest.mark.parametrize(
    ("pattern", "access"), [("*71*", "range"), ("*29", "ref"), ("*a text that is longer than its ends*", "range")]
)
@pytest.mark.parametrize(
    ("keyword", "key"),
    [
        ("PatientID", "studies_patient_id"),
        ("AccessionNumber", "studies_accession_number"),
        ("StudyDescription", "studies_description"),
    ],
)
def test_texts_inside_values_are_looked_up_by_their_ends(connect, keyword, key, pattern, access):
    index = MysqlIndex(connect)
    for number in range(100):
        publish(index, make_publication(f"1.{number}", **{keyword: f"v{number * 7919 % 1000:03}"}))
    [[inside]] = plan(QidoQuery.parse(Level.STUDY, [(keyword, pattern)])).candidate_lists
    assert _plan(connect, inside, "text_endings, studies") == [
        ("text_endings", access, "PRIMARY"),
        ("studies", "ref", key),
    ]
    index.close()
