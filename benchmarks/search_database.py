"""The database server of the search benchmarks: a private MariaDB, or the server that TEST_DATABASE_URL names.

The private one keeps its data in .local/benchmark-search, without durability.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from localstack.configuration import HOST
from localstack.listeners import free_port
from localstack.parts.mariadb import create_data_directory, server_command
from tests.support.database_server import Server, named_server

STATE = Path(__file__).parent.parent / ".local" / "benchmark-search"
# Three quarters of 4 GiB, as a small instance of Aurora has.
BUFFER_POOL = "3G"


@contextmanager
def database_server() -> Iterator[Server]:
    """Yield the server that TEST_DATABASE_URL names, or else run the private one on the data of earlier runs."""
    named = named_server()
    if named is not None:
        yield named
        return
    data = STATE / "data"
    STATE.mkdir(parents=True, exist_ok=True)
    create_data_directory(data, STATE / "install.log", "--auth-root-authentication-method=normal")
    server = Server(host=HOST, port=free_port(), user="root", password="")
    command = server_command(
        data,
        server.port,
        "--skip-name-resolve",
        f"--innodb-buffer-pool-size={BUFFER_POOL}",
        # They change only how fast the databases are filled.
        "--innodb-log-file-size=2G",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-doublewrite=0",
        "--innodb-sort-buffer-size=64M",
    )
    # Not by the harness's supervisor: with this buffer pool, the server may take minutes to end.
    with (STATE / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        waiting = Retrying(
            retry=retry_if_exception_type(pymysql.err.OperationalError),
            stop=stop_after_delay(120),
            wait=wait_fixed(0.1),
            reraise=True,
        )
        waiting(lambda: server.connect().close())
        yield server
    finally:
        process.terminate()
        process.wait(timeout=300)


def database_of(studies: int) -> str:
    """Return the name of the database that holds this number of studies."""
    return f"archive_{studies}"


def secret_of(server: Server, studies: int) -> dict[str, object]:
    """Return the secret of a database, as `connection_factory` takes it."""
    return {
        "host": server.host,
        "port": server.port,
        "username": server.user,
        "password": server.password,
        "dbname": database_of(studies),
    }
