"""Creates or updates the database of the index, its tables and its user; never removes anything."""

import hashlib
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import pymysql
from pymysql.connections import Connection
from pymysql.constants import CR
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from chalicelib.adapters.mysql.connections import connection_factory
from chalicelib.adapters.mysql.credentials import ReadSecret
from chalicelib.adapters.mysql.schema import SCHEMA, apply_schema
from chalicelib.errors import ServiceFaultError

# The rights that publications and searches need; a migration needs more.
_RIGHTS = "SELECT, INSERT, UPDATE, DELETE"

# Secrets Manager's rotation with two users creates the second with this suffix, and the rights of the first.
_CLONE = "_clone"

# A paused Aurora Serverless cluster takes half a minute to answer.
_WAKE_UP_SECONDS = 90


class MigrationError(ServiceFaultError):
    """A step failed; the message has the error number of the server, and not its text, which may quote a secret."""


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """State of the database after the migration; `schema` is the SHA-256 of ``schema.sql``."""

    schema: str
    database: str
    users: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexMigration:
    """The migration; it can be repeated, also after a failure half-way (DDL has no transactions).

    Parameters
    ----------
    read_master, read_user
        Read the secret of the user with the rights to migrate, and of the user of the archive.
    tls
        How the connection of the migration is encrypted, see `credentials.tls_context`.
    require_tls
        Whether the server must refuse connections of the archive's user without TLS.
    wake_up_seconds
        How long to wait for a server that does not answer yet.
    """

    read_master: ReadSecret
    read_user: ReadSecret
    tls: ssl.SSLContext | None = None
    require_tls: bool = False
    wake_up_seconds: float = _WAKE_UP_SECONDS

    def apply(self) -> MigrationReport:
        """Create what is missing, and set the password of the archive's user to the one in its secret.

        Raises
        ------
        MigrationError
            If a step failed.
        ServiceFaultError
            If a secret cannot be read.
        """
        user = self.read_user()
        database, name, password = str(user["dbname"]), str(user["username"]), str(user["password"])
        with closing(self._connect()) as connection:
            with _step("creating the database"):
                _execute(
                    connection,
                    f"CREATE DATABASE IF NOT EXISTS {_quoted(database)} "
                    "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci",
                )
                connection.select_db(database)
            with _step("creating the tables"):
                apply_schema(connection)
            with _step("creating the user"):
                users = [name, *self._other_user(connection, name)]
                self._ensure_user(connection, name, password)
                for each in users:
                    # pymysql fills in the placeholders by %, so a % in a name must be doubled.
                    pattern = _pattern(database).replace("%", "%%")
                    _execute(connection, f"GRANT {_RIGHTS} ON {pattern}.* TO %s@'%%'", each)
        return MigrationReport(hashlib.sha256(SCHEMA.read_bytes()).hexdigest(), database, users)

    def _connect(self) -> "Connection[Any]":
        master = dict(self.read_master())
        master.pop("dbname", None)  # it may not exist yet
        waiting = Retrying(
            retry=retry_if_exception(_is_asleep),
            stop=stop_after_delay(self.wake_up_seconds),
            wait=wait_fixed(2),
            reraise=True,
        )
        with _step("connecting"):
            return waiting(connection_factory(master, self.tls))

    def _ensure_user(self, connection: "Connection[Any]", name: str, password: str) -> None:
        tls = "REQUIRE SSL" if self.require_tls else "REQUIRE NONE"
        for verb in ("CREATE USER IF NOT EXISTS", "ALTER USER"):
            _execute(connection, f"{verb} %s@'%%' IDENTIFIED BY %s {tls}", name, password)

    def _other_user(self, connection: "Connection[Any]", name: str) -> list[str]:
        """The other user if the secret is rotated between two; empty otherwise."""
        other = name.removesuffix(_CLONE) if name.endswith(_CLONE) else name + _CLONE
        with connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM mysql.user WHERE User = %s AND Host = '%%'", (other,))
            row = cursor.fetchone()
        return [other] if row and row[0] else []


@contextmanager
def _step(name: str) -> Iterator[None]:
    try:
        yield
    except pymysql.err.Error as error:
        number = error.args[0] if error.args and isinstance(error.args[0], int) else "without a number"
        # Not "from error": the traceback in the log would contain its text.
        raise MigrationError(f"{name} failed: database error {number}") from None


def _execute(connection: "Connection[Any]", statement: str, *values: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


def _quoted(identifier: str) -> str:
    return "`" + identifier.replace("`", "``") + "`"


def _pattern(database: str) -> str:
    """Name of a database for GRANT, which reads it as a pattern: _ and % are wildcards there."""
    return _quoted(database.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%"))


def _is_asleep(error: BaseException) -> bool:
    return isinstance(error, pymysql.err.OperationalError) and error.args[0] in (
        CR.CR_CONN_HOST_ERROR,
        CR.CR_SERVER_LOST,
    )
