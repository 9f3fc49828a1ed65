"""A database for tests: on a private MariaDB, ended by its process, or on the server that TEST_DATABASE_URL names."""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pymysql
from pymysql.connections import Connection

from chalicelib.adapters.mysql.schema import apply_schema
from localstack.configuration import HOST
from localstack.listeners import free_port
from localstack.parts.mariadb import create_data_directory, server_command
from localstack.processes import Supervisor

_VARIABLE = "TEST_DATABASE_URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server, and an account that may create databases and users on it."""

    host: str
    port: int
    user: str
    password: str

    def connect(self, database: str | None = None) -> "Connection[Any]":
        """Connect in the modes in which the archive connects; files of this machine may be loaded."""
        return pymysql.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            database=database,
            charset="utf8mb4",
            autocommit=True,
            local_infile=True,
            sql_mode="STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION",
            init_command="SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        )


def named_server(environment: Mapping[str, str] = os.environ) -> Server | None:
    """The server that the developer names, as ``mysql://user:password@host:port``."""
    text = environment.get(_VARIABLE)
    if not text:
        return None
    url = urlsplit(text)
    if url.scheme != "mysql" or not url.hostname or not url.username or url.path.strip("/"):
        raise ValueError(f"{_VARIABLE} is not mysql://user:password@host:port")
    user, password = unquote(url.username), unquote(url.password or "")
    return Server(host=url.hostname, port=url.port or 3306, user=user, password=password)


@contextmanager
def running_server(directory: Path) -> Iterator[Server]:
    """The server that the developer names, or a private one."""
    with ExitStack() as stack:
        yield named_server() or stack.enter_context(private_server(directory))


@contextmanager
def database(directory: Path) -> Iterator[dict[str, object]]:
    """Make an empty database with the schema; yields its secret, as RDS writes it.

    Database and user have random names, and are dropped in the end.
    """
    with ExitStack() as stack:
        server = named_server() or stack.enter_context(private_server(directory))
        name, password = f"archive_test_{secrets.token_hex(6)}", secrets.token_urlsafe(12)
        with server.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci")
            stack.callback(_drop, server, name)
            cursor.execute(f"CREATE USER {name}@'%%' IDENTIFIED BY %s", (password,))
            # The rights that a migration grants to the deployed functions, and no others.
            cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name}.* TO {name}@'%'")
            connection.select_db(name)
            apply_schema(connection)
        yield {
            "engine": "mysql",
            "host": server.host,
            "port": server.port,
            "username": name,
            "password": password,
            "dbname": name,
        }


def empty_tables(connection: "Connection[Any]") -> None:
    """Delete all rows of all tables."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW TABLES")
        for (table,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {table}")


def _drop(server: Server, name: str) -> None:
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name}")
        cursor.execute(f"DROP USER IF EXISTS {name}@'%'")


@contextmanager
def private_server(directory: Path, *options: str) -> Iterator[Server]:
    """A server of our own, with options beside those that all have."""
    supervisor = Supervisor(directory / "processes.json", directory)
    data = directory / "data"
    create_data_directory(data, supervisor.log("mariadb-install"), "--auth-root-authentication-method=normal")
    server = Server(host=HOST, port=free_port(), user="root", password="")
    command = server_command(
        data,
        server.port,
        # The tests need no durability, and run beside others on a small machine.
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-buffer-pool-size=64M",
        *options,
    )
    try:
        supervisor.start(
            "mariadb", command, environment=os.environ, directory=directory, ready=lambda: _can_log_in(server)
        )
        yield server
    finally:
        supervisor.stop_all()


def _can_log_in(server: Server) -> bool:
    try:
        server.connect().close()
    except pymysql.err.OperationalError:
        return False
    return True
