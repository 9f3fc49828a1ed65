"""The contract of StudyIndex, over the one in memory and over a real database server."""

import ssl
import threading
from collections.abc import Callable, Iterator

import pymysql
import pytest

from chalicelib.adapters.memory.index import MemoryIndex
from chalicelib.adapters.mysql.conditions import Statement
from chalicelib.adapters.mysql.connections import connection_factory
from chalicelib.adapters.mysql.index import MysqlIndex
from chalicelib.adapters.mysql.plan import plan
from chalicelib.adapters.mysql.schema import NAME_LENGTH, TEXT_LENGTH, apply_schema
from chalicelib.adapters.mysql.search import SearchLimits
from chalicelib.dicomweb.attributes import ATTRIBUTES, Matching
from chalicelib.dicomweb.qido.query import Level, QidoQuery
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.errors import SearchTooBroadError, ServiceFaultError
from chalicelib.ports import AggregateState, StudyIndex
from tests.support.database_server import empty_tables
from tests.support.qido_builders import make_publication, make_series, publish


@pytest.fixture
def connect(database_secret: dict[str, object]) -> Callable[[], pymysql.connections.Connection]:
    factory = connection_factory(database_secret)
    with factory() as connection:
        empty_tables(connection)
    return factory


@pytest.fixture(params=["memory", pytest.param("mysql", marks=pytest.mark.database)])
def index(request: pytest.FixtureRequest) -> Iterator[StudyIndex]:
    if request.param == "memory":
        yield MemoryIndex(lock_timeout_seconds=1)
        return
    made = MysqlIndex(request.getfixturevalue("connect"), lock_timeout_seconds=1)
    yield made
    made.close()


def search(index: StudyIndex, level: Level, *pairs: tuple[str, str], **path: str):
    return index.search(QidoQuery.parse(level, pairs, **path))


def test_versions_count_up_and_are_covered_by_a_commit(index):
    assert [index.mark_dirty("1.2"), index.mark_dirty("1.2"), index.mark_dirty("1.3")] == [1, 2, 1]
    with index.turn("1.2") as turn:
        assert (turn.published_version(), turn.dirty_version()) == (0, 2)
        assert turn.aggregates() == {}
        turn.ensure_held()
        turn.commit(2, make_publication("1.2"))
        assert turn.published_version() == 2
    with index.turn("1.3") as turn:
        assert turn.published_version() == 0


def test_published_version_never_goes_back(index):
    with index.turn("1.2") as turn:
        turn.commit(5, make_publication("1.2"))
        turn.commit(3, make_publication("1.2"))
        assert turn.published_version() == 5


def test_aggregates_are_what_was_last_committed(index):
    first = {"": AggregateState('"a"', "d1"), "1.2.1": AggregateState('"b"', "d2")}
    publish(index, make_publication("1.2", aggregates=first))
    publish(index, make_publication("1.2", aggregates={"": AggregateState('"c"', "d3")}))
    with index.turn("1.2") as turn:
        assert turn.aggregates() == {
            "": AggregateState('"c"', "d3"),
            "1.2.1": AggregateState('"b"', "d2"),
        }


def test_nothing_is_found_before_the_first_publication(index):
    index.mark_dirty("1.2")
    page = search(index, Level.STUDY)
    assert (page.keys, page.remaining) == ([], 0)


def test_a_publication_shows_study_series_and_instances(index):
    publish(index, make_publication("1.2", [make_series("1.2.1", ["1.2.1.1", "1.2.1.2"]), make_series("1.2.10")]))
    assert search(index, Level.STUDY).keys == [ResourceUids("1.2")]
    assert search(index, Level.SERIES).keys == [ResourceUids("1.2", "1.2.1"), ResourceUids("1.2", "1.2.10")]
    assert search(index, Level.INSTANCE, study_instance_uid="1.2", series_instance_uid="1.2.1").keys == [
        ResourceUids("1.2", "1.2.1", "1.2.1.1"),
        ResourceUids("1.2", "1.2.1", "1.2.1.2"),
    ]
    # A series of which another one's UID is the beginning.
    assert search(index, Level.INSTANCE, study_instance_uid="1.2", series_instance_uid="1.2.10").keys == []


def test_a_second_publication_corrects_and_adds_and_repeats_nothing(index):
    publish(index, make_publication("1.2", [make_series("1.2.1", ["1.2.1.1"])], PatientID="OLD"))
    again = make_publication(
        "1.2", [make_series("1.2.1", ["1.2.1.1", "1.2.1.2"]), make_series("1.2.3", ["3"])], PatientID="NEW"
    )
    publish(index, again)
    publish(index, again)
    assert search(index, Level.STUDY, ("PatientID", "OLD")).keys == []
    assert search(index, Level.STUDY, ("PatientID", "NEW")).keys == [ResourceUids("1.2")]
    assert len(search(index, Level.SERIES).keys) == 2
    assert len(search(index, Level.INSTANCE).keys) == 3


def test_one_sop_instance_uid_in_two_studies_is_two_instances(index):
    publish(index, make_publication("1.2", [make_series("7", ["9"])]))
    publish(index, make_publication("1.3", [make_series("7", ["9"])]))
    assert sorted(search(index, Level.INSTANCE).keys) == [
        ResourceUids("1.2", "7", "9"),
        ResourceUids("1.3", "7", "9"),
    ]


def test_request_attributes_that_are_gone_match_no_more(index):
    def items(*steps: str):
        return [{"00400009": {"vr": "SH", "Value": [step]}} for step in steps]

    publish(index, make_publication("1.2", [make_series("7", RequestAttributesSequence=items("A", "B"))]))
    publish(index, make_publication("1.2", [make_series("7", RequestAttributesSequence=items("C"))]))
    key = "RequestAttributesSequence.ScheduledProcedureStepID"
    assert search(index, Level.SERIES, (key, "B")).keys == []
    assert search(index, Level.SERIES, (key, "C")).keys == [ResourceUids("1.2", "7")]


def test_words_of_a_name_that_was_corrected_match_no_more(index):
    def find(name: str):
        return search(index, Level.STUDY, ("PatientName", name), ("fuzzymatching", "true")).keys

    publish(index, make_publication("1.2", PatientName="Doe^Jane", ReferringPhysicianName="Roe^Jim"))
    publish(index, make_publication("1.2", PatientName="Smith^Jane", ReferringPhysicianName="Roe^Jim"))
    assert find("doe") == []
    assert find("roe") == []  # another attribute's word
    assert find("jane smith") == [ResourceUids("1.2")]
    publish(index, make_publication("1.2", PatientName=None))
    assert find("jane") == []


def test_hostile_names_have_words_too(index):
    publish(index, make_publication("1.2", PatientName="x" * 5000 + " " + " ".join(map(str, range(100)))))
    assert search(index, Level.STUDY, ("PatientName", "x" * 65), ("fuzzymatching", "true")).keys == [
        ResourceUids("1.2")
    ]


def test_a_value_that_is_none_of_its_kind_counts_as_no_value(index):
    publish(index, make_publication("1.2", [make_series("7", SeriesNumber="one")], StudyDate="2024", StudyTime="noon"))
    keys = [("StudyDate", '""'), ("StudyTime", '""'), ("SeriesNumber", '""'), ("emptyvaluematching", "true")]
    assert search(index, Level.SERIES, *keys).keys == [ResourceUids("1.2", "7")]


def test_of_several_values_of_an_attribute_that_has_one_the_first_counts(index):
    publish(index, make_publication("1.2", PatientID=["A", "B"], PatientName=["Doe^Jane", "Roe^Jim"]))
    assert search(index, Level.STUDY, ("PatientID", "A")).keys == [ResourceUids("1.2")]
    assert search(index, Level.STUDY, ("PatientID", "B")).keys == []
    assert search(index, Level.STUDY, ("PatientName", "Roe*")).keys == []
    assert search(index, Level.STUDY, ("PatientName", "jim"), ("fuzzymatching", "true")).keys == []


def test_many_instances_are_inserted_whole(index):
    uids = [f"1.2.1.{number}" for number in range(1203)]
    publish(index, make_publication("1.2", [make_series("1.2.1", uids)]))
    page = search(index, Level.INSTANCE, ("limit", "1000"), study_instance_uid="1.2")
    assert (len(page.keys), page.remaining) == (1000, 203)


def test_pages_neither_repeat_nor_lose_where_every_study_has_the_same_date(index):
    for number in range(23):
        publish(index, make_publication(f"1.{number}", StudyDate="20240301" if number % 2 else None))
    everything = search(index, Level.STUDY)
    pages = [search(index, Level.STUDY, ("limit", "5"), ("offset", str(start))) for start in range(0, 25, 5)]
    assert [key for page in pages for key in page.keys] == everything.keys
    assert [page.remaining for page in pages] == [18, 13, 8, 3, 0]
    assert len(set(everything.keys)) == 23
    assert search(index, Level.STUDY, ("offset", "23")).keys == []
    assert search(index, Level.STUDY, ("limit", "0")).remaining == 23


def test_the_newest_study_comes_first_and_those_without_a_date_last(index):
    publish(index, make_publication("1.1", StudyDate=None))
    publish(index, make_publication("1.2", StudyDate="20240301", StudyTime="0900"))
    publish(index, make_publication("1.3", StudyDate="20240301", StudyTime="1000"))
    publish(index, make_publication("1.4", StudyDate="20240302"))
    publish(index, make_publication("1.5", StudyDate="20240301"))
    assert [key.study_instance_uid for key in search(index, Level.STUDY).keys] == [
        "1.4",
        "1.3",
        "1.2",
        "1.5",
        "1.1",
    ]


HOSTILE = {
    "StudyDate": ["20241399", "\ud800", "19" * 4000],
    "StudyTime": "996199",
    "PatientID": "x" * 5000,
    "PatientName": "y" * 5000 + "=\ud83d\x00",
    "AccessionNumber": 17,
    "PatientBirthDate": {"not": "text"},
    "StudyID": "a'b\"c\\d%s\x00",
}


def test_hostile_values_do_not_stop_a_publication(index):
    publish(index, make_publication("1.2", [make_series("7", SeriesNumber="99999999999")], **HOSTILE))
    publish(index, make_publication("1.3", [make_series("7", SeriesNumber=1e300, SeriesTime=[[]])]))
    assert len(search(index, Level.STUDY).keys) == 2
    assert search(index, Level.STUDY, ("AccessionNumber", "17")).keys == [ResourceUids("1.2")]
    assert search(index, Level.STUDY, ("StudyID", "a'b\"c\\d%s")).keys == [ResourceUids("1.2")]


def test_only_one_publisher_of_a_study_has_the_turn(index):
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with index.turn("1.2"):
            entered.set()
            leave.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    assert entered.wait(10)
    with pytest.raises(ServiceFaultError), index.turn("1.2"):
        pytest.fail("two publishers had the turn")
    with index.turn("1.3"):  # another study's publisher does not wait
        pass
    leave.set()
    holder.join(10)
    with index.turn("1.2") as turn:
        turn.ensure_held()


def test_a_publisher_that_fails_gives_the_turn_free(index):
    with pytest.raises(ValueError, match="fails"), index.turn("1.2"):
        raise ValueError("fails")
    with index.turn("1.2") as turn:
        turn.ensure_held()


def test_publishers_at_once_lose_no_version_and_no_instance(index):
    """Eight threads publish four studies; each commits all instances that were added before its turn."""
    stored: dict[str, list[str]] = {f"1.{study}": [] for study in range(4)}
    guard = threading.Lock()
    failures: list[BaseException] = []

    def work(worker: int) -> None:
        try:
            for number in range(6):
                study_uid = f"1.{(worker + number) % 4}"
                with guard:
                    stored[study_uid].append(f"{study_uid}.{worker}.{number}")
                requested = index.mark_dirty(study_uid)
                with index.turn(study_uid) as turn:
                    if turn.published_version() >= requested:
                        continue
                    version = turn.dirty_version()
                    with guard:
                        instances = list(stored[study_uid])
                    turn.commit(version, make_publication(study_uid, [make_series("7", instances)]))
        except BaseException as error:
            failures.append(error)

    index._lock_timeout_seconds = 60
    workers = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert failures == []
    found = {key.sop_instance_uid for key in search(index, Level.INSTANCE).keys}
    assert found == {uid for uids in stored.values() for uid in uids}
    for study_uid in stored:
        with index.turn(study_uid) as turn:
            assert turn.published_version() == turn.dirty_version() == 12


# --- the real one only ------------------------------------------------------------------------


def test_schema_can_be_applied_again_and_keeps_the_data(connect):
    index = MysqlIndex(connect)
    publish(index, make_publication("1.2"))
    with connect() as connection:
        apply_schema(connection)
    assert search(index, Level.STUDY).keys == [ResourceUids("1.2")]
    index.close()


def test_every_searchable_attribute_has_its_column_of_the_length_that_rows_are_cut_to(connect):
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, character_maximum_length FROM information_schema.columns "
            "WHERE table_schema = DATABASE()"
        )
        lengths = dict(cursor.fetchall())
    for attribute in ATTRIBUTES:
        if attribute.matching in (Matching.TEXT, Matching.CODE) and attribute.column:
            assert lengths[attribute.column] == TEXT_LENGTH, attribute.keyword
        elif attribute.matching is Matching.NAME:
            for suffix in ("", "_ideographic", "_phonetic"):
                assert lengths[attribute.column + suffix] == NAME_LENGTH, attribute.keyword
        elif attribute.column:
            assert attribute.column in lengths, attribute.keyword


# For minutes, were it not ended.
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
        # Without a format, MySQL may show a tree.
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


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        (" ".join(f"w{number}" for number in range(50)), "*w49*"),  # more words than are kept
        ("x" * 60 + "middle" + "y" * 60, "*middle*"),  # a longer word than is kept
        ("O'Brien^Pat", "*O'B*"),
        ("O'Brien^Pat", "*bri?n^p*"),
        ("Doe^Jane", "?oe^j*"),
        ("Hong^Gildong=洪^吉洞=홍^길동", "*吉*"),
        ("a%b_c|d^e", "*%b_c|d*"),
    ],
)
def test_a_text_inside_a_name_is_found_whatever_the_name(index, name, pattern):
    publish(index, make_publication("1.2", PatientName=name))
    publish(index, make_publication("1.3", PatientName="Nobody^Else"))
    assert search(index, Level.STUDY, ("PatientName", pattern)).keys == [ResourceUids("1.2")]


LONG = "CT Thorax 5 mm   with contrast, late phase"


@pytest.mark.parametrize("keyword", ["PatientID", "AccessionNumber", "StudyDescription"])
@pytest.mark.parametrize(
    ("value", "pattern"),
    [
        ("P-4711-X", "*4711*"),
        ("P-4711-X", "*X"),
        ("P-4711-X", "*P-*"),
        ("P-4711-X", "P*47*X"),
        ("P-4711-X", "*P-4711-X"),
        ("P-4711-X", "?-4711*"),
        ("aaab", "*a*aa?"),
        ("ab", "??"),
        ("50% of a_b|c\\d'\"", "*% of*"),
        ("50% of a_b|c\\d'\"", "*a_b*"),
        ("50% of a_b|c\\d'\"", "*b|c\\*"),
        ("50% of a_b|c\\d'\"", "*'\""),
        ("Knie 山田 Колено 홍", "*田 Кол*"),
        ("Knie 山田 Колено 홍", "*홍"),
        (LONG, "*with contrast, late phase"),
        (LONG, "*Thorax 5 mm   with contrast*"),
        (LONG, "*late*"),
        (LONG, "*5 mm   w*ph?se"),
        ("x" * 100 + " " + "y" * 27 + "cut off", "*x y*"),
        ("x" * 127 + " cut off", "*xx*"),
    ],
)
def test_a_text_inside_a_value_is_found_whatever_the_value(index, keyword, value, pattern):
    publish(index, make_publication("1.2", **{keyword: value}))
    publish(index, make_publication("1.3", **{keyword: "else"}))
    publish(index, make_publication("1.4"))
    assert search(index, Level.STUDY, (keyword, pattern)).keys == [ResourceUids("1.2")]


@pytest.mark.parametrize(
    "pattern", ["*4712*", "*x", "*p-*", "*P_4711*", "*47%11*", "*\\*", "*4711", "*P-4711-X and more than it*", "???"]
)
def test_a_text_that_is_in_no_value_is_not_found(index, pattern):
    publish(index, make_publication("1.2", PatientID="P-4711-X", StudyDescription="4712 xp-%_\\"))
    assert search(index, Level.STUDY, ("PatientID", pattern)).keys == []


def test_a_text_inside_a_value_is_found_in_its_own_attribute_only(index):
    publish(index, make_publication("1.2", PatientID="A17", AccessionNumber="B18", StudyDescription="C19"))
    found = {
        (keyword, text): len(search(index, Level.STUDY, (keyword, f"*{text}*")).keys)
        for keyword in ("PatientID", "AccessionNumber", "StudyDescription")
        for text in ("17", "18", "19")
    }
    assert [place for place, number in found.items() if number] == [
        ("PatientID", "17"),
        ("AccessionNumber", "18"),
        ("StudyDescription", "19"),
    ]


def test_a_value_that_was_corrected_is_found_by_texts_inside_the_new_one_only(index):
    publish(index, make_publication("1.2", PatientID="P-OLD-1", StudyDescription="Knee old"))
    publish(index, make_publication("1.3", PatientID="P-OLD-1"))
    publish(index, make_publication("1.2", PatientID="P-NEW-1", StudyDescription=None))
    assert search(index, Level.STUDY, ("PatientID", "*NEW*")).keys == [ResourceUids("1.2")]
    assert search(index, Level.STUDY, ("PatientID", "*OLD*")).keys == [ResourceUids("1.3")]
    assert search(index, Level.STUDY, ("StudyDescription", "*old*")).keys == []
    # Back to a value that the archive knows.
    publish(index, make_publication("1.2", PatientID="P-OLD-1"))
    assert sorted(search(index, Level.STUDY, ("PatientID", "*OLD*")).keys) == [ResourceUids("1.2"), ResourceUids("1.3")]


def test_ends_are_written_once_for_each_different_value(connect):
    index = MysqlIndex(connect)
    for number, patient_id in enumerate(["abc", "abc", "c", "abc"]):
        publish(index, make_publication(f"1.{number}", PatientID=patient_id))
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT tag, ending, value FROM text_endings ORDER BY ending, value")
        assert list(cursor.fetchall()) == [
            (0x00100020, b"abc", "abc"),
            (0x00100020, b"bc", "abc"),
            (0x00100020, b"c", "abc"),
            (0x00100020, b"c", "c"),
        ]
    index.close()


def test_a_publication_that_brings_no_new_value_looks_for_no_ends(connect, monkeypatch):
    index = MysqlIndex(connect)
    publish(index, make_publication("1.2", PatientID="P1"))
    looked_for = []
    monkeypatch.setattr(
        "chalicelib.adapters.mysql.publication.insert_missing_text_endings",
        lambda _cursor, values: looked_for.append(values),
    )
    publish(index, make_publication("1.2", PatientID="P1"))
    publish(index, make_publication("1.2", PatientID="P1", AccessionNumber="A1"))
    assert looked_for == [set(), {(0x00080050, "A1")}]
    index.close()


def test_studies_are_counted_by_the_day_they_have_now(index):
    for number in range(4):
        publish(index, make_publication(f"1.{number}", StudyDate="20240301"))
    publish(index, make_publication("1.0", StudyDate="20240301"))
    publish(index, make_publication("1.1", StudyDate="20240302"))
    publish(index, make_publication("1.2", StudyDate=None))
    first = ("limit", "1")
    assert search(index, Level.STUDY, first).remaining == 3
    assert search(index, Level.STUDY, first, ("StudyDate", "20240301")).remaining == 1
    assert search(index, Level.STUDY, first, ("StudyDate", "20240302-")).remaining == 0
    assert search(index, Level.STUDY, first, ("StudyDate", "-20240302")).remaining == 2


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


def test_a_lost_connection_is_replaced_before_the_next_unit_of_work(connect):
    index = MysqlIndex(connect)
    publish(index, make_publication("1.2"))
    _end_other_connections(connect)
    assert search(index, Level.STUDY).keys == [ResourceUids("1.2")]
    _end_other_connections(connect)
    assert index.mark_dirty("1.2") == 2
    _end_other_connections(connect)
    with index.turn("1.2") as turn:
        assert turn.dirty_version() == 2
    index.close()


def test_a_publisher_that_lost_its_connection_cannot_commit(connect):
    index = MysqlIndex(connect)
    with pytest.raises(ServiceFaultError), index.turn("1.2") as turn:  # noqa: PT012 - the turn's block
        _end_other_connections(connect)
        turn.commit(1, make_publication("1.2"))
    assert search(index, Level.STUDY).keys == []
    with index.turn("1.2") as turn:
        turn.ensure_held()
    index.close()


def test_a_publisher_whose_lock_was_released_cannot_commit(connect):
    index = MysqlIndex(connect)
    with pytest.raises(ServiceFaultError, match="lock"), index.turn("1.2") as turn:  # noqa: PT012
        with turn._connection.cursor() as cursor:
            cursor.execute("SELECT RELEASE_ALL_LOCKS()")
        turn.commit(1, make_publication("1.2"))
    assert search(index, Level.STUDY).keys == []
    index.close()


def test_a_commit_that_fails_in_its_middle_writes_nothing(connect):
    index = MysqlIndex(connect)
    broken = make_publication("1.2", [make_series("7", ["9"])])
    broken.instances[0]["0020000E"]["Value"] = ["not a series of the study"]
    with pytest.raises(KeyError), index.turn("1.2") as turn:
        turn.commit(1, broken)
    assert search(index, Level.STUDY).keys == []
    index.close()


def _end_other_connections(connect) -> None:
    """As a fail-over or an idle timeout does: the server ends every connection but this one."""
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND db = DATABASE()")
        for (number,) in cursor.fetchall():
            cursor.execute("KILL CONNECTION %s", (number,))


def test_a_server_that_is_not_there_is_a_service_fault(database_secret):
    index = MysqlIndex(connection_factory({**database_secret, "port": 1}))
    with pytest.raises(ServiceFaultError):
        index.mark_dirty("1.2")


def test_a_wrong_password_is_a_service_fault_that_does_not_tell_it(database_secret):
    index = MysqlIndex(connection_factory({**database_secret, "password": "hunter2"}))
    with pytest.raises(ServiceFaultError) as caught:
        index.search(QidoQuery(level=Level.STUDY))
    assert "hunter2" not in caught.value.message


def test_a_server_without_tls_is_not_talked_to_where_authorities_are_given(database_secret):
    index = MysqlIndex(connection_factory(database_secret, ssl.create_default_context()))
    with pytest.raises(ServiceFaultError):
        index.mark_dirty("1.2")
