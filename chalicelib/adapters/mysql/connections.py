"""Connections to the MySQL index: opening, pooling, replacing lost ones, and translating their errors."""

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import pymysql
from pymysql.connections import Connection
from pymysql.constants import CR
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from chalicelib.errors import ServiceFaultError

Result = TypeVar("Result")
Connect = Callable[[], "Connection[Any]"]

# Code 0: InterfaceError of a closed connection. 1053 and 1927: the server ended the connection. 4031: it was idle
# for too long (MySQL 8). 1290 and 1836: the server is now a read-only replica (Aurora failover).
_LOST = {0, CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_LOST, 2055, 1053, 1927, 4031, 1290, 1836}
_DEADLOCK = {1205, 1213}  # lock wait timeout, deadlock: the transaction was rolled back and can be repeated
_OUT_OF_TIME = {3024, 1969}  # a SELECT exceeded its limit of time: MySQL, MariaDB
SERVER_FAULTS = (pymysql.err.OperationalError, pymysql.err.InterfaceError, pymysql.err.InternalError)


def connection_factory(
    secret: Mapping[str, Any], tls: ssl.SSLContext | None = None, *, read_timeout_seconds: int = 60
) -> Connect:
    """Return a function that opens a connection with the values of a secret, in the JSON form of RDS secrets.

    Parameters
    ----------
    secret
        ``host``, ``port``, ``username``, ``password``, ``dbname``. Without ``dbname``, no database is selected.
    tls
        With a context, TLS is required. Without one, TLS is used if the server offers it, and its certificate is not
        verified.
    read_timeout_seconds
        Longest wait for one response of the server, in seconds; must exceed the time that a publisher waits for its
        lock.
    """

    def connect() -> "Connection[Any]":
        return pymysql.connect(
            host=str(secret["host"]),
            port=int(secret.get("port", 3306)),
            user=str(secret["username"]),
            # UTF-8, as the server received it when it was set; pymysql would encode a str as Latin-1.
            password=str(secret["password"]).encode(),
            database=str(secret["dbname"]) if "dbname" in secret else None,
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=5,
            read_timeout=read_timeout_seconds,
            write_timeout=30,
            # A value that does not fit in its column is an error, instead of being cut silently.
            sql_mode="STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION",
            # It takes hardly any gap locks, for which publications of different studies would wait.
            init_command="SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
            ssl=tls,
        )

    return connect


@contextmanager
def service_faults() -> Iterator[None]:
    """Raise ServiceFaultError for errors of the server and of the network; errors in our SQL are not changed."""
    try:
        yield
    except SERVER_FAULTS as error:
        raise ServiceFaultError("The search index is not available; try again later") from error


class QueryTimeoutError(Exception):
    """The server ended a SELECT that exceeded its limit of time; the connection can still be used."""


@contextmanager
def query_timeouts() -> Iterator[None]:
    """Raise QueryTimeoutError for a SELECT that exceeded its limit of time, to distinguish it from a fault."""
    try:
        yield
    except pymysql.err.MySQLError as error:
        if _code(error) in _OUT_OF_TIME:
            raise QueryTimeoutError from error
        raise


def retry_deadlocks(work: Callable[[], Result]) -> Result:
    """Run a transaction up to five times, as long as the server ends it because of a deadlock or a lock timeout."""
    retrying = Retrying(
        retry=retry_if_exception(_is_deadlock),
        stop=stop_after_attempt(5),
        wait=wait_random_exponential(multiplier=0.02, max=1),
        reraise=True,
    )
    return retrying(work)


class ConnectionPool:
    """Open connections that are not in use; at most as many as threads have worked concurrently.

    Parameters
    ----------
    connect
        Opens a connection in autocommit mode.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._idle: list[Connection[Any]] = []
        self._guard = threading.Lock()

    def run(self, work: Callable[["Connection[Any]"], Result]) -> Result:
        """Run an idempotent unit of work; if the pooled connection was lost, run it again on a new one."""
        connection, result = self.run_and_keep(work)
        self.give_back(connection)
        return result

    def run_and_keep(self, work: Callable[["Connection[Any]"], Result]) -> tuple["Connection[Any]", Result]:
        """Do the same as `run`, and leave the connection to the caller, who gives it back or discards it.

        Raises
        ------
        ServiceFaultError
            If the server cannot be reached or fails.
        """
        with service_faults():
            kept = self._take()
            if kept is not None:
                try:
                    return kept, _attempt(kept, work)
                except SERVER_FAULTS as error:
                    if _code(error) not in _LOST:
                        raise
                    # The fault that ended this connection has most likely ended all others.
                    self.close()
            fresh = self._connect()
            return fresh, _attempt(fresh, work)

    def give_back(self, connection: "Connection[Any]") -> None:
        """Keep a connection for the next unit of work; it must have no open transaction and no locks."""
        with self._guard:
            self._idle.append(connection)

    def close(self) -> None:
        """Close all idle connections."""
        with self._guard:
            idle, self._idle = self._idle, []
        for connection in idle:
            discard(connection)

    def _take(self) -> "Connection[Any] | None":
        with self._guard:
            return self._idle.pop() if self._idle else None


def discard(connection: "Connection[Any]") -> None:
    """Close a connection in any state; the server then rolls back its transaction and releases its locks."""
    try:
        connection.close()
    except pymysql.err.Error:
        return  # it was closed already


def _attempt(connection: "Connection[Any]", work: Callable[["Connection[Any]"], Result]) -> Result:
    try:
        return retry_deadlocks(lambda: work(connection))
    except BaseException:
        discard(connection)
        raise


def _code(error: BaseException) -> int | None:
    return error.args[0] if error.args and isinstance(error.args[0], int) else None


def _is_deadlock(error: BaseException) -> bool:
    return isinstance(error, pymysql.err.MySQLError) and _code(error) in _DEADLOCK
