"""StudyIndex on MySQL 8 (Aurora) or MariaDB 10.11, through pymysql."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymysql.connections import Connection

from chalicelib.adapters.mysql.connections import (
    SERVER_FAULTS,
    Connect,
    ConnectionPool,
    QueryTimeoutError,
    apply_schema,
    connection_factory,
    discard,
)
from chalicelib.adapters.mysql.publication import LOCK_NAME, MysqlPublicationTurn
from chalicelib.adapters.mysql.search import DEFAULT_LIMITS, SearchLimits, find_page
from chalicelib.dicomweb.qido.query import QidoQuery
from chalicelib.errors import SearchTooBroadError, ServiceFaultError
from chalicelib.ports import SearchPage, StudyIndex

__all__ = ["MysqlIndex", "apply_schema", "connection_factory"]


class MysqlIndex(StudyIndex):
    """The index of studies, series and instances; connects when first used, from any thread.

    Parameters
    ----------
    connect
        Opens a connection, see `connection_factory`.
    lock_timeout_seconds
        How long a publisher waits for the turn of another one of the same study.
    limits
        What one search may cost.
    """

    def __init__(
        self,
        connect: Connect,
        *,
        lock_timeout_seconds: int = 30,
        limits: SearchLimits = DEFAULT_LIMITS,
    ) -> None:
        self._pool = ConnectionPool(connect)
        self._lock_timeout_seconds = lock_timeout_seconds
        self._limits = limits

    def mark_dirty(self, study_instance_uid: str) -> int:
        """Ask for a publication of the study; returns the version that will cover this request."""

        def bump(connection: "Connection[Any]") -> int:
            with connection.cursor() as cursor:
                # LAST_INSERT_ID(value) hands the value to the client in the same round trip.
                cursor.execute(
                    "INSERT INTO publications (study_instance_uid, dirty, published) "
                    "VALUES (%s, LAST_INSERT_ID(1), 0) "
                    "ON DUPLICATE KEY UPDATE dirty = LAST_INSERT_ID(dirty + 1)",
                    (study_instance_uid,),
                )
                return int(cursor.lastrowid)

        return self._pool.run(bump)

    @contextmanager
    def turn(self, study_instance_uid: str) -> Iterator[MysqlPublicationTurn]:
        """Wait for the study's lock, and hold it while the block runs.

        Raises
        ------
        ServiceFaultError
            If the lock is not had in time, or the database fails.
        """

        def acquire(connection: "Connection[Any]") -> None:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT GET_LOCK({LOCK_NAME}, %s)", (study_instance_uid, self._lock_timeout_seconds))
                row = cursor.fetchone()
            if not row or row[0] != 1:
                raise ServiceFaultError("The study is being published by somebody else for too long")

        connection, _ = self._pool.run_and_keep(acquire)
        try:
            yield MysqlPublicationTurn(connection, study_instance_uid)
        except BaseException:
            discard(connection)  # the lock falls with it
            raise
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT RELEASE_LOCK({LOCK_NAME})", (study_instance_uid,))
        except SERVER_FAULTS:
            discard(connection)  # as above; the turn's work is done and committed
        else:
            self._pool.give_back(connection)

    def search(self, query: QidoQuery) -> SearchPage:
        """Find one page of keys, in total and stable order.

        The hits are counted only where more remain than the page shows, by another statement; one that
        is published between the two is counted though the page was made without it.

        Raises
        ------
        SearchTooBroadError
            If the page is not found in time.
        """

        def find(connection: "Connection[Any]") -> SearchPage | None:
            try:
                return find_page(connection, query, self._limits)
            except QueryTimeoutError:
                return None

        page = self._pool.run(find)
        if page is None:
            raise SearchTooBroadError(
                "the search is too broad to be answered in time: add a matching key, or narrow one"
            )
        return page

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._pool.close()
