"""A private MariaDB or MySQL server for tests: own data directory, port and socket; ended by its process."""

import operator
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymysql
from pymysql.connections import Connection
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from chalicelib.adapters.mysql import apply_schema

_USER = "archive"
_PASSWORD = "correct horse"


@contextmanager
def mariadb_server(directory: Path) -> Iterator[dict[str, object]]:
    """Run a server below `directory`; yields the secret of an empty database with the schema, as RDS writes it."""
    program = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
    data, unix_socket, log = directory / "data", directory / "s", directory / "log"
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
    port = _free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                program,
                "--no-defaults",
                f"--datadir={data}",
                f"--socket={unix_socket}",
                f"--port={port}",
                "--bind-address=127.0.0.1",
                f"--pid-file={directory / 'pid'}",
                "--user=root",
                # The tests need no durability, and run beside others on a small machine.
                "--innodb-flush-log-at-trx-commit=0",
                "--innodb-buffer-pool-size=64M",
                "--skip-log-bin",
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        secret = _create_database(process, unix_socket, log, port)
        yield secret
    finally:
        process.terminate()
        process.wait(timeout=30)


def empty_tables(connection: "Connection[Any]") -> None:
    """Delete all rows of all tables."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW TABLES")
        for (table,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {table}")


def _create_database(process: subprocess.Popen[bytes], unix_socket: Path, log: Path, port: int) -> dict[str, object]:
    _wait_until_listening(process, unix_socket, log)
    connection = pymysql.connect(unix_socket=str(unix_socket), user="root", charset="utf8mb4")
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE archive CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci")
        cursor.execute(f"CREATE USER '{_USER}'@'%' IDENTIFIED BY '{_PASSWORD}'")
        # What the deployed functions have, and no more.
        cursor.execute(
            f"GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, INDEX, ALTER, REFERENCES ON archive.* TO '{_USER}'@'%'"
        )
        connection.select_db("archive")
        apply_schema(connection)
    return {
        "engine": "mariadb",
        "host": "127.0.0.1",
        "port": port,
        "username": _USER,
        "password": _PASSWORD,
        "dbname": "archive",
    }


def _wait_until_listening(process: subprocess.Popen[bytes], unix_socket: Path, log: Path) -> None:
    def listens() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"the database server ended: {log.read_text(errors='replace')[-2000:]}")
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(unix_socket)) == 0

    Retrying(retry=retry_if_result(operator.not_), stop=stop_after_delay(60), wait=wait_fixed(0.05))(listens)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
