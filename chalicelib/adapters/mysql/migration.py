"""Makes the index's database, its tables and its user, or brings them up to date; never takes anything away."""

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

# What publications and searches do, and nothing of what a migration does.
_RIGHTS = "SELECT, INSERT, UPDATE, DELETE"

# Secrets Manager's rotation with two users makes the other one by this name, with the rights of the first.
_CLONE = "_clone"

# A paused Aurora Serverless cluster answers after half a minute.
_WAKE_UP_SECONDS = 90


class MigrationError(ServiceFaultError):
    """A step failed; the message holds the server's number of the error, not its text, which may quote a secret."""


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What the database has now; `schema` is the SHA-256 of the schema's text."""

    schema: str
    database: str
    users: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexMigration:
    """The migration; it can be applied again, and after it failed half-way (DDL knows no transaction).

    Parameters
    ----------
    read_master, read_user
        Secrets of the user who may do this, and of the user whom the archive works as.
    tls
        How the master's connection is encrypted, see `credentials.tls_context`.
    require_tls
        Whether the server is to refuse the archive's user without TLS.
    """

    read_master: ReadSecret
    read_user: ReadSecret
    tls: ssl.SSLContext | None = None
    require_tls: bool = False
    wake_up_seconds: float = _WAKE_UP_SECONDS

    def apply(self) -> MigrationReport:
        """Create what is missing, and give the archive's user the password of its secret.

        Raises
        ------
        MigrationError
            A step failed.
        ServiceFaultError
            A secret cannot be read.
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
                    # Placeholders are filled in before the statement is sent, so % must be doubled in names.
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
        """The user whose turn it is not, where the secret is rotated between two."""
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
        # Not "from error": its text would reach the log with the stack.
        raise MigrationError(f"{name} failed: error {number} of the database") from None


def _execute(connection: "Connection[Any]", statement: str, *values: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


def _quoted(identifier: str) -> str:
    return "`" + identifier.replace("`", "``") + "`"


def _pattern(database: str) -> str:
    """A database's name where GRANT reads a pattern: _ and % stand for others there."""
    return _quoted(database.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%"))


def _is_asleep(error: BaseException) -> bool:
    return isinstance(error, pymysql.err.OperationalError) and error.args[0] in (
        CR.CR_CONN_HOST_ERROR,
        CR.CR_SERVER_LOST,
    )
