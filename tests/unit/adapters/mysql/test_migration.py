"""The statements of the migration, without a server: how they begin, and how names are quoted in them."""

import re
from pathlib import Path
from typing import Any

import pytest

from chalicelib.adapters.mysql import migration
from chalicelib.adapters.mysql.migration import IndexMigration
from chalicelib.adapters.mysql.schema import SCHEMA
from tests.support.fake_connection import FakeConnection

HARMLESS = {
    "CREATE DATABASE IF NOT EXISTS",
    "CREATE TABLE IF NOT EXISTS",
    "CREATE USER IF NOT EXISTS",
    "ALTER USER",
    "GRANT",
    "SELECT COUNT(*) FROM mysql.user",
}


class Connection(FakeConnection):
    """Finds the clone of a user."""

    def fetchone(self) -> tuple[int]:
        return (1,)

    def select_db(self, database: str) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Connection:
    made = Connection()
    monkeypatch.setattr(migration, "connection_factory", lambda *_: lambda: made)
    return made


def migrate(database: str = "archive", **options: Any) -> None:
    user = {"username": "archive", "password": "hunter2", "dbname": database}
    IndexMigration(read_master=dict, read_user=lambda: user, **options).apply()


def test_the_migration_executes_nothing_that_takes_away(connection: Connection) -> None:
    migrate()
    assert len(connection.executed) > 10
    for statement, _ in connection.executed:
        assert any(statement.startswith(beginning + " ") for beginning in HARMLESS), statement
        assert ";" not in statement.rstrip(";"), "one statement at a time, or the second would not be checked"


@pytest.mark.parametrize("path", [SCHEMA, Path(migration.__file__)], ids=lambda path: path.name)
def test_no_text_of_the_migration_drops_anything(path: Path) -> None:
    text = re.sub(r"(?m)--.*$", "", path.read_text(encoding="utf-8"))
    text = text.replace('_RIGHTS = "SELECT, INSERT, UPDATE, DELETE"', "")
    assert re.findall(r"\b(?:DROP|TRUNCATE|DELETE|RENAME|REPLACE|REVOKE)\b", text) == []


def test_passwords_and_users_are_never_part_of_a_statement(connection: Connection) -> None:
    migrate(require_tls=True)
    assert not [statement for statement, _ in connection.executed if "hunter2" in statement]
    assert ("CREATE USER IF NOT EXISTS %s@'%%' IDENTIFIED BY %s REQUIRE SSL", ("archive", "hunter2")) in (
        connection.executed
    )
    assert ("ALTER USER %s@'%%' IDENTIFIED BY %s REQUIRE SSL", ("archive", "hunter2")) in connection.executed


@pytest.mark.parametrize(
    ("database", "created", "granted"),
    [
        ("archive", "`archive`", "`archive`.*"),
        ("my_archive", "`my_archive`", "`my\\_archive`.*"),
        ("a`; GRANT ALL", "`a``; GRANT ALL`", "`a``; GRANT ALL`.*"),
        ("100%", "`100%`", "`100\\%%`.*"),
        ("a\\b", "`a\\b`", "`a\\\\b`.*"),
    ],
)
def test_the_databases_name_is_quoted(connection: Connection, database: str, created: str, granted: str) -> None:
    migrate(database)
    statements = [statement for statement, _ in connection.executed]
    assert statements[0] == (
        f"CREATE DATABASE IF NOT EXISTS {created} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci"
    )
    grants = [(statement, values) for statement, values in connection.executed if statement.startswith("GRANT")]
    assert grants == [
        (f"GRANT SELECT, INSERT, UPDATE, DELETE ON {granted} TO %s@'%%'", (user,))
        for user in ("archive", "archive_clone")
    ]
