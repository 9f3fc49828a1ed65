"""For random studies and queries, the database finds what a plain reading of the standard's rules finds."""

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.adapters.memory_index import MemoryIndex
from chalicelib.adapters.mysql import MysqlIndex, connection_factory
from chalicelib.dicomweb.qido_query import Level, QidoQuery
from chalicelib.errors import BadRequestError
from tests.qido_builders import make_publication, make_series, publish

pytestmark = pytest.mark.database

# Few values of few letters, so that queries do match; and all that SQL, LIKE or Unicode may trip over.
LETTERS = "aAáÁ%_|\\'\"^b山 ßﾀが\U0001f600"
TEXT = st.text(LETTERS, max_size=4)
PATTERN = st.text(LETTERS + "*?", max_size=4)
NAME = st.lists(st.text(LETTERS, max_size=3), min_size=1, max_size=3).map("=".join)
NAME_PATTERN = st.lists(st.text(LETTERS + "*?", max_size=3), min_size=1, max_size=3).map("=".join)
DATE = st.sampled_from(["20240101", "20240102", "20240103", "19991231"])
TIME = st.sampled_from(["10", "1030", "103000.5", "235959.999999", "00"])
MODALITY = st.sampled_from(["CT", "MR", "ct"])


def _range(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return values | st.tuples(values | st.just(""), values | st.just("")).map("-".join)


REQUEST = st.fixed_dictionaries(
    {"00400009": TEXT.map(lambda text: {"vr": "SH", "Value": [text]})},
    optional={"00401001": TEXT.map(lambda text: {"vr": "SH", "Value": [text]})},
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
        "PatientID": TEXT,
        "PatientName": NAME,
        "StudyDate": DATE,
        "StudyTime": TIME,
        "StudyDescription": TEXT,
    },
)
STUDY_KEYS = {
    "PatientID": PATTERN,
    "PatientName": NAME_PATTERN,
    "StudyDate": _range(DATE),
    "StudyTime": _range(TIME),
    "StudyDescription": PATTERN,
    "ModalitiesInStudy": MODALITY | st.just("CT,MR") | st.just("C*"),
}
SERIES_KEYS = {
    "Modality": MODALITY | st.just("MR\\CT"),
    "SeriesNumber": st.integers(0, 3).map(str),
    "SeriesDescription": PATTERN,
    "00400275.00400009": PATTERN,
    "00400275.00401001": PATTERN,
}


def _queries(level: Level) -> st.SearchStrategy[tuple[Level, dict[str, str]]]:
    keys = STUDY_KEYS if level is Level.STUDY else {**STUDY_KEYS, **SERIES_KEYS}
    chosen = st.sets(st.sampled_from(sorted(keys)), max_size=3)
    return chosen.flatmap(
        lambda names: st.tuples(st.just(level), st.fixed_dictionaries({name: keys[name] for name in names}))
    )


@pytest.fixture(scope="module")
def mysql(database_secret: dict[str, object]) -> Iterator[MysqlIndex]:
    index = MysqlIndex(connection_factory(database_secret))
    yield index
    index.close()


NUMBERS = count(1)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    studies=st.lists(STUDY, min_size=1, max_size=5),
    queries=st.lists(st.sampled_from(list(Level)).flatmap(_queries), min_size=5, max_size=15),
)
def test_the_database_finds_what_a_plain_evaluation_finds(mysql, database_secret, studies, queries):
    with connection_factory(database_secret)() as connection, connection.cursor() as cursor:
        for table in ("publications", "aggregates", "studies", "series", "request_attributes", "instances"):
            cursor.execute(f"DELETE FROM {table}")
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
    for level, keys in queries:
        try:
            query = QidoQuery.parse(level, [*keys.items(), ("limit", "3")])
        except BadRequestError:
            continue
        assert mysql.search(query) == plain.search(query), (level, keys)
