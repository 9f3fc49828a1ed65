"""The migration on a real server: what it creates, that it can be repeated, and the privileges of its user."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pymysql
import pytest

from chalicelib.adapters.mysql.connections import connection_factory
from chalicelib.adapters.mysql.credentials import SecretConnections
from chalicelib.adapters.mysql.index import MysqlIndex
from chalicelib.adapters.mysql.migration import IndexMigration, MigrationError
from chalicelib.bootstrap import Services
from chalicelib.errors import ServiceFaultError
from tests.support.database_server import Server
from tests.support.qido_builders import make_publication, make_series, publish
from tests.support.settings import SETTINGS

HOSTILE = "p'\"`\\%s%;-- -山\n"


class Secrets:
    """Secrets Manager as the archive sees it; a test rotates what it holds."""

    def __init__(self, server: Server, name: str) -> None:
        self.master = {"host": server.host, "port": server.port, "username": server.user, "password": server.password}
        self.user = {
            "host": server.host,
            "port": server.port,
            "username": name,
            "password": secrets.token_urlsafe(12),
            "dbname": name,
        }
        self.reads = 0

    def read_user(self) -> dict[str, Any]:
        self.reads += 1
        return dict(self.user)

    def migration(self, **options: Any) -> IndexMigration:
        return IndexMigration(read_master=lambda: self.master, read_user=self.read_user, **options)


@pytest.fixture(params=["archive", "a_b%`\\ 'x\""], ids=["plain names", "hostile names"])
def name(request: pytest.FixtureRequest) -> str:
    """A name for the database and its user; at most 32 characters (MySQL)."""
    return request.param + secrets.token_hex(4)


@pytest.fixture
def store(database_server: Server, name: str) -> Iterator[Secrets]:
    yield Secrets(database_server, name)
    with closing(database_server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {quoted(name)}")
        for user in (name, f"{name}_clone"):
            cursor.execute("DROP USER IF EXISTS %s@'%%'", (user,))


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def rows(connection: pymysql.connections.Connection, statement: str, *values: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def test_the_users_index_works_after_a_migration(store: Secrets, name: str) -> None:
    report = store.migration().apply()
    assert report.database == name
    assert report.users == [name]
    assert len(report.schema) == 64
    index = MysqlIndex(connection_factory(store.user))
    publish(index, make_publication("1.2", [make_series("1.2.3")]))
    index.close()
    with closing(connection_factory(store.user)()) as connection:
        assert rows(connection, "SELECT study_instance_uid FROM studies") == [("1.2",)]


def test_a_migration_can_be_repeated_and_keeps_every_row(store: Secrets) -> None:
    first = store.migration().apply()
    index = MysqlIndex(connection_factory(store.user))
    publish(index, make_publication("1.2", [make_series("1.2.3")]))
    index.close()
    with closing(connection_factory(store.user)()) as connection:
        tables = [table for (table,) in rows(connection, "SHOW TABLES")]
        before = {table: rows(connection, f"SELECT * FROM {table}") for table in tables}
    assert store.migration().apply() == first
    with closing(connection_factory(store.user)()) as connection:
        assert {table: rows(connection, f"SELECT * FROM {table}") for table in tables} == before
    assert before["studies"]


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE instances",
        "CREATE TABLE other (id INT)",
        "ALTER TABLE studies ADD COLUMN x INT",
        "TRUNCATE TABLE studies",
        "CREATE USER nobody",
        "SELECT COUNT(*) FROM mysql.user",
    ],
)
def test_the_user_may_work_on_rows_and_nothing_else(store: Secrets, statement: str) -> None:
    store.migration().apply()
    with (
        closing(connection_factory(store.user)()) as connection,
        pytest.raises(pymysql.err.OperationalError, match="denied"),
    ):
        rows(connection, statement)


def test_the_rights_do_not_reach_a_database_whose_name_fits_the_pattern(database_server: Server) -> None:
    name = f"archive_{secrets.token_hex(4)}"
    neighbour = name.replace("_", "x")
    store = Secrets(database_server, name)
    with closing(database_server.connect()) as connection:
        rows(connection, f"CREATE DATABASE {neighbour}")
        try:
            store.migration().apply()
            with pytest.raises(pymysql.err.OperationalError, match="denied"):
                connection_factory({**store.user, "dbname": neighbour})()
        finally:
            rows(connection, f"DROP DATABASE {neighbour}")
            rows(connection, f"DROP DATABASE {name}")
            rows(connection, "DROP USER %s@'%%'", name)


def test_a_password_of_any_characters_is_set_as_it_is(store: Secrets) -> None:
    store.user["password"] = HOSTILE
    store.migration().apply()
    connection_factory(store.user)().close()


def test_a_user_with_another_password_gets_that_of_the_secret(store: Secrets) -> None:
    store.migration().apply()
    store.user["password"] = "another"
    with pytest.raises(pymysql.err.OperationalError):
        connection_factory(store.user)()
    store.migration().apply()
    connection_factory(store.user)().close()


def test_both_users_of_a_rotation_have_the_rights_whichever_has_its_turn(store: Secrets, name: str) -> None:
    store.migration().apply()
    clone = Secrets.__new__(Secrets)
    clone.__dict__ = {**store.__dict__, "user": {**store.user, "username": f"{name}_clone", "password": "clone"}}
    assert clone.migration().apply().users == [f"{name}_clone", name]
    assert store.migration().apply().users == [name, f"{name}_clone"]
    for secret in (store.user, clone.user):
        with closing(connection_factory(secret)()) as connection:
            assert rows(connection, "SELECT COUNT(*) FROM studies") == [(0,)]


def test_where_tls_is_required_the_server_refuses_the_user_without_it(store: Secrets, name: str) -> None:
    store.migration(require_tls=True).apply()
    with closing(Server(**_admin(store)).connect()) as connection:
        [(kind,)] = rows(connection, "SELECT ssl_type FROM mysql.user WHERE User = %s", name)
    assert kind in ("ANY", b"ANY")


def _admin(store: Secrets) -> dict[str, Any]:
    master = store.master
    return {"host": master["host"], "port": master["port"], "user": master["username"], "password": master["password"]}


def test_a_failed_step_is_told_without_what_the_server_says(store: Secrets) -> None:
    store.master["password"] = "hunter2"
    with pytest.raises(MigrationError) as caught:
        store.migration().apply()
    assert caught.value.message == "connecting failed: database error 1045"
    assert caught.value.__cause__ is None


def test_a_server_that_does_not_wake_up_is_waited_for_no_longer_than_allowed(store: Secrets) -> None:
    store.master["port"] = 1
    with pytest.raises(MigrationError, match="connecting failed: database error 2003"):
        store.migration(wake_up_seconds=0.1).apply()


def test_search_and_publication_go_on_when_the_password_is_rotated(store: Secrets, name: str) -> None:
    store.migration().apply()
    store.reads = 0
    index = MysqlIndex(SecretConnections(store.read_user))
    publish(index, make_publication("1.2", [make_series("1.2.3")]))
    index.close()  # a function that was idle: its connections are gone, and it still has the old password
    store.user["password"] = "rotated"
    with closing(Server(**_admin(store)).connect()) as connection:
        rows(connection, "ALTER USER %s@'%%' IDENTIFIED BY %s", name, "rotated")
    publish(index, make_publication("1.3", [make_series("1.3.3")]))
    index.close()
    assert index.mark_dirty("1.3") == 2
    index.close()
    assert store.reads == 2


def test_search_goes_on_when_the_other_user_has_its_turn_and_the_first_is_gone(store: Secrets, name: str) -> None:
    store.migration().apply()
    index = MysqlIndex(SecretConnections(store.read_user))
    assert index.mark_dirty("1.2") == 1
    index.close()
    store.user |= {"username": f"{name}_clone", "password": "clone"}
    store.migration().apply()
    with closing(Server(**_admin(store)).connect()) as connection:
        rows(connection, "DROP USER %s@'%%'", name)
    assert index.mark_dirty("1.2") == 2
    index.close()


def test_a_secret_that_is_wrong_is_read_once_for_each_connection_and_is_a_service_fault(store: Secrets) -> None:
    store.migration().apply()
    index = MysqlIndex(SecretConnections(store.read_user))
    assert index.mark_dirty("1.2") == 1
    index.close()
    with closing(Server(**_admin(store)).connect()) as connection:
        rows(connection, "ALTER USER %s@'%%' IDENTIFIED BY %s", str(store.user["username"]), "not in the secret yet")
    store.reads = 0
    with pytest.raises(ServiceFaultError):
        index.mark_dirty("1.2")
    assert store.reads == 1


def test_the_migration_is_wired_to_the_secrets_that_the_settings_name(
    store: Secrets, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SecretsManager:
        def get_secret_value(self, SecretId: str) -> dict[str, str]:
            return {"SecretString": json.dumps({"master": store.master, "user": store.user}[SecretId])}

    monkeypatch.setattr("chalicelib.adapters.aws.clients.make_client", lambda _: SecretsManager())
    services = Services(replace(SETTINGS, database_secret_id="user", database_master_secret_id="master"))
    assert services.migration.apply().users == [name]
    assert services.index.mark_dirty("1.2") == 1
    assert isinstance(services.index, MysqlIndex)
    services.index.close()
