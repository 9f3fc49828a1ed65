"""A private MariaDB for the benchmarks of search: own data directory below the state directory, no durability."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymysql
from pymysql.connections import Connection
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

STATE = Path(__file__).parent.parent / ".local" / "benchmark-search"
# As small instances of Aurora have: three quarters of 4 GiB.
BUFFER_POOL = "3G"
_SOCKET = "server.sock"  # in the data directory


@contextmanager
def database_server() -> Iterator[int]:
    """Run the server on the data of earlier runs, if there are any; yields its port."""
    data = STATE / "data"
    user = pwd.getpwuid(os.getuid()).pw_name
    if not (data / "mysql").exists():
        STATE.mkdir(parents=True, exist_ok=True)
        install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", f"--user={user}", "--skip-test-db"]
        subprocess.run([*install, "--auth-root-authentication-method=normal"], check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with (STATE / "log").open("ab") as log:
        process = subprocess.Popen(
            [
                shutil.which("mariadbd") or "/usr/sbin/mariadbd",
                "--no-defaults",
                f"--user={user}",
                f"--datadir={data}",
                "--bind-address=127.0.0.1",
                f"--port={port}",
                f"--socket={_SOCKET}",
                "--skip-log-bin",
                "--skip-name-resolve",
                f"--innodb-buffer-pool-size={BUFFER_POOL}",
                # Only how fast it is filled depends on these.
                "--innodb-log-file-size=2G",
                "--innodb-flush-log-at-trx-commit=0",
                "--innodb-doublewrite=0",
                "--innodb-sort-buffer-size=64M",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        waiting = Retrying(
            retry=retry_if_exception_type(pymysql.err.OperationalError),
            stop=stop_after_delay(120),
            wait=wait_fixed(0.1),
            reraise=True,
        )
        waiting(lambda: connect(port).close())
        yield port
    finally:
        process.terminate()
        process.wait(timeout=300)


def connect(port: int, database: str | None = None) -> "Connection[Any]":
    """Connect as the server's administrator, in the modes in which the archive connects."""
    return pymysql.connect(
        host="127.0.0.1",
        port=port,
        user="root",
        database=database,
        charset="utf8mb4",
        autocommit=True,
        sql_mode="STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION",
        init_command="SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    )


def database_of(studies: int) -> str:
    """Name of the database with so many studies."""
    return f"archive_{studies}"


def secret_of(port: int, studies: int) -> dict[str, object]:
    """What `connection_factory` takes."""
    return {
        "host": "127.0.0.1",
        "port": port,
        "username": "root",
        "password": "",
        "dbname": database_of(studies),
    }
