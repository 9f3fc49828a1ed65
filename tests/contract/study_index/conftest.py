"""Fixtures: the index in memory, and one on a database server whose tables are empty."""

from collections.abc import Callable, Iterator

import pymysql
import pytest

from chalicelib.adapters.memory.index import MemoryIndex
from chalicelib.adapters.mysql.connections import connection_factory
from chalicelib.adapters.mysql.index import MysqlIndex
from chalicelib.ports import StudyIndex
from tests.support.database_server import empty_tables


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
