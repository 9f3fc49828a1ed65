"""For random studies and queries, the database finds the same as the simple implementation in memory."""

from collections.abc import Iterator
from itertools import count, cycle

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.adapters.memory.index import MemoryIndex
from chalicelib.adapters.mysql.connections import connection_factory
from chalicelib.adapters.mysql.index import MysqlIndex
from chalicelib.adapters.mysql.search import SearchLimits
from chalicelib.dicomweb.attributes import Level
from chalicelib.dicomweb.qido.query import QidoQuery
from chalicelib.errors import BadRequestError
from tests.support.database_server import empty_tables
from tests.support.qido_builders import make_publication, make_series, publish

# Short values of few letters, so that queries match; among them the characters that SQL, LIKE and Unicode treat
# specially.
LETTERS = "aAáÁ%_|\\'\"^b山 ßﾀが\U0001f600"
TEXT = st.text(LETTERS, max_size=4)
PATTERN = st.text(LETTERS + "*?", max_size=4)
# Longer than the ends of texts that the index keeps, with blanks where these are cut off.
LONG_TEXT = st.tuples(st.sampled_from(["a b  ", "ab", "山 "]), st.integers(2, 12), st.sampled_from(["", "c"])).map(
    lambda parts: parts[0] * parts[1] + parts[2]
)
LONG_PATTERN = st.tuples(st.sampled_from(["*", "?", "", "*c*", "a*"]), LONG_TEXT, st.sampled_from(["*", "*c", ""])).map(
    "".join
)
NAME = st.lists(st.text(LETTERS, max_size=3), min_size=1, max_size=3).map("=".join)
WORDS = st.lists(st.text("aáÁb山ßが'", min_size=1, max_size=3), min_size=1, max_size=3)
SPACED_NAME = st.tuples(WORDS, st.sampled_from(["^", " ", "-", "="])).map(lambda pair: pair[1].join(pair[0]))
SPACED_PATTERN = st.tuples(WORDS, st.sampled_from([" ", "*^", "* *", ", "]), st.sampled_from(["", "*"])).map(
    lambda parts: parts[2] + parts[1].join(parts[0]) + parts[2]
)
NAME_PATTERN = SPACED_PATTERN | st.lists(st.text(LETTERS + "*?", max_size=3), min_size=1, max_size=3).map("=".join)
DATE = st.sampled_from(["20240101", "20240102", "20240103", "19991231"])
TIME = st.sampled_from(["10", "1030", "103000.5", "235959.999999", "00"])
MODALITY = st.sampled_from(["CT", "MR", "ct"])


def _range(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return values | st.tuples(values | st.just(""), values | st.just("")).map("-".join)


EMPTY = st.just('""')
REQUEST = st.fixed_dictionaries(
    {},
    optional={
        "00400009": TEXT.map(lambda text: {"vr": "SH", "Value": [text]}),
        "00401001": TEXT.map(lambda text: {"vr": "SH", "Value": [text]}),
    },
)
SERIES = st.fixed_dictionaries(
    {},
    optional={
        "Modality": MODALITY,
        "SeriesNumber": st.integers(0, 3),
        "SeriesDescription": TEXT,
        "RequestAttributesSequence": st.lists(REQUEST, max_size=2).map(lambda items: items or None),
    },
)
STUDY = st.fixed_dictionaries(
    {"series": st.lists(SERIES, max_size=2)},
    optional={
        "PatientID": TEXT | LONG_TEXT,
        "AccessionNumber": TEXT | LONG_TEXT,
        "PatientName": NAME | SPACED_NAME,
        "ReferringPhysicianName": SPACED_NAME,
        # Some of them are invalid.
        "StudyDate": DATE | st.sampled_from(["20241399", ""]),
        "StudyTime": TIME | st.just("25"),
        "StudyDescription": TEXT | LONG_TEXT | st.none(),
        # More values than the standard allows: the first counts.
        "PatientSex": st.lists(st.sampled_from(["F", "M", ""]), min_size=1, max_size=2),
    },
)
STUDY_KEYS = {
    "PatientID": PATTERN | LONG_PATTERN,
    "AccessionNumber": PATTERN | LONG_PATTERN,
    "PatientName": NAME_PATTERN,
    "ReferringPhysicianName": NAME_PATTERN,
    "PatientSex": st.sampled_from(["F", "M", "F,M", "?"]),
    "StudyDate": _range(DATE),
    "StudyTime": _range(TIME),
    "StudyDescription": PATTERN | LONG_PATTERN,
    "ModalitiesInStudy": MODALITY | st.sampled_from(["CT,MR", "C*", "CT\\MR\\ct"]),
}
SERIES_KEYS = {
    "Modality": MODALITY | st.just("MR\\CT"),
    "SeriesNumber": st.integers(0, 3).map(str),
    "SeriesDescription": PATTERN,
    "00400275.00400009": PATTERN,
    "00400275.00401001": PATTERN,
    "RequestAttributesSequence": EMPTY,
}
OPTIONS = ("fuzzymatching", "emptyvaluematching", "multiplevaluematching")


def _queries(level: Level) -> st.SearchStrategy[tuple[Level, dict[str, str]]]:
    keys = STUDY_KEYS if level is Level.STUDY else {**STUDY_KEYS, **SERIES_KEYS}
    chosen = st.sets(st.sampled_from(sorted(keys)), max_size=3)
    options = st.fixed_dictionaries({}, optional={name: st.just("true") for name in OPTIONS})
    return chosen.flatmap(
        lambda names: st.tuples(
            st.just(level),
            st.tuples(options, st.fixed_dictionaries({name: keys[name] | EMPTY for name in names})).map(
                lambda parts: parts[0] | parts[1]
            ),
        )
    )


@pytest.fixture(scope="module")
def mysql(database_secret: dict[str, object]) -> Iterator[MysqlIndex]:
    index = MysqlIndex(connection_factory(database_secret))
    yield index
    index.close()


NUMBERS = count(1)
# Limits so low that a few studies exercise both ways of searching and the skipping of lists.
SHORT = SearchLimits(candidates=1, candidates_by_name=1, conjunction=2, far_offset=1)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    studies=st.lists(STUDY, min_size=1, max_size=5),
    queries=st.lists(st.sampled_from(list(Level)).flatmap(_queries), min_size=5, max_size=15),
)
def test_the_database_finds_what_a_plain_evaluation_finds(mysql, database_secret, studies, queries):
    with connection_factory(database_secret)() as connection:
        empty_tables(connection)
    short = MysqlIndex(connection_factory(database_secret), limits=SHORT)
    plain = MemoryIndex()
    for study in studies:
        uid = f"1.{next(NUMBERS)}"
        attributes = {name: value for name, value in study.items() if name != "series"}
        series = [
            make_series(f"{uid}.{number}", [f"{uid}.{number}.1"], **own) for number, own in enumerate(study["series"])
        ]
        publication = make_publication(uid, series, **attributes)
        publish(plain, publication)
        publish(mysql, publication)
    for (level, keys), offset in zip(queries, cycle([0, 1, 2]), strict=False):
        try:
            query = QidoQuery.parse(level, [*keys.items(), ("limit", "3"), ("offset", str(offset))])
        except BadRequestError:
            continue
        expected = plain.search(query)
        assert mysql.search(query) == expected, (level, keys)
        assert short.search(query) == expected, (level, keys)
    short.close()
