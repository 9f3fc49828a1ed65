"""The index on a database server: lost connections and locks, and servers that are absent or refuse a connection."""

import ssl

import pytest

from chalicelib.adapters.mysql.connections import connection_factory
from chalicelib.adapters.mysql.index import MysqlIndex
from chalicelib.dicomweb.attributes import Level
from chalicelib.dicomweb.qido.query import QidoQuery
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.errors import ServiceFaultError
from tests.support.qido_builders import make_publication, publish, search


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


def _end_other_connections(connect) -> None:
    """End every connection but this one, as a fail-over or an idle timeout does."""
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
