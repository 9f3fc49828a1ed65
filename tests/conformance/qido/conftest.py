"""Fixtures: the studies in the index in memory and in one on a database server, and the application over each."""

import json
from collections.abc import Iterator

import pytest

from chalicelib.adapters.memory.index import MemoryIndex
from chalicelib.adapters.mysql.connections import connection_factory
from chalicelib.adapters.mysql.index import MysqlIndex
from chalicelib.dicomweb.compression import compress
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.ports import StudyIndex
from tests.conformance.qido.answers import Search, answering
from tests.conformance.qido.studies import PUBLICATIONS
from tests.support.database_server import empty_tables
from tests.support.qido_builders import AnsweringRecords, publish


@pytest.fixture(scope="module")
def records() -> AnsweringRecords:
    records = AnsweringRecords(*PUBLICATIONS)
    data_set = {
        "00090011": {"vr": "LO", "Value": ["ACME"]},
        "00091101": {"vr": "LO", "Value": ["x"]},
        "00180050": {"vr": "DS", "Value": [2.5]},
    }
    records.metadata[ResourceUids("1.2", "1.2.1", "1.2.1.1")] = compress(json.dumps([data_set]).encode())
    return records


@pytest.fixture(scope="module", params=["memory", pytest.param("mysql", marks=pytest.mark.database)])
def index(request: pytest.FixtureRequest) -> Iterator[StudyIndex]:
    if request.param == "memory":
        made = MemoryIndex()
    else:
        connect = connection_factory(request.getfixturevalue("database_secret"))
        with connect() as connection:
            empty_tables(connection)  # other modules use the same database
        made = MysqlIndex(connect)
    for publication in PUBLICATIONS:
        publish(made, publication)
    yield made
    if isinstance(made, MysqlIndex):
        made.close()


@pytest.fixture
def get(index: StudyIndex, records: AnsweringRecords, monkeypatch: pytest.MonkeyPatch) -> Iterator[Search]:
    with answering(index, records, monkeypatch) as send:
        yield send
