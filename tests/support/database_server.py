"""A database for tests: on a private MariaDB, ended by its process, or on the server that TEST_DATABASE_URL names."""

import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pymysql
from pymysql.connections import Connection
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from chalicelib.adapters.mysql.schema import apply_schema

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
            # What the deployed functions have, and no more.
            cursor.execute(
                f"GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, INDEX, ALTER, REFERENCES ON {name}.* TO {name}@'%'"
            )
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
    data, log = directory / "data", directory / "log"
    install = shutil.which("mariadb-install-db") or "mariadb-install-db"
    subprocess.run(
        [
            install,
            "--no-defaults",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--user=root",
        ],
        check=True,
        capture_output=True,
    )
    server = Server(host="127.0.0.1", port=_free_port(), user="root", password="")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                shutil.which("mariadbd") or "/usr/sbin/mariadbd",
                "--no-defaults",
                f"--datadir={data}",
                f"--socket={directory / 's'}",
                f"--port={server.port}",
                "--bind-address=127.0.0.1",
                f"--pid-file={directory / 'pid'}",
                "--user=root",
                # The tests need no durability, and run beside others on a small machine.
                "--innodb-flush-log-at-trx-commit=0",
                "--innodb-buffer-pool-size=64M",
                "--skip-log-bin",
                *options,
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_it_answers(process, server, log)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_until_it_answers(process: subprocess.Popen[bytes], server: Server, log: Path) -> None:
    def answer() -> None:
        if process.poll() is not None:
            raise RuntimeError(f"the database server ended: {log.read_text(errors='replace')[-2000:]}")
        server.connect().close()

    waiting = Retrying(
        retry=retry_if_exception_type(pymysql.err.OperationalError),
        stop=stop_after_delay(60),
        wait=wait_fixed(0.05),
        reraise=True,
    )
    waiting(answer)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
