"""The server of the benchmarks of search: a private MariaDB, or the one that TEST_DATABASE_URL names.

The private one has its data directory below the state directory, and no durability.
"""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from tests.support.database_server import Server, named_server

STATE = Path(__file__).parent.parent / ".local" / "benchmark-search"
# As small instances of Aurora have: three quarters of 4 GiB.
BUFFER_POOL = "3G"
_SOCKET = "server.sock"  # in the data directory


@contextmanager
def database_server() -> Iterator[Server]:
    """Run the private server on the data of earlier runs, if there are any; or take the one that is named."""
    named = named_server()
    if named is not None:
        yield named
        return
    data = STATE / "data"
    user = pwd.getpwuid(os.getuid()).pw_name
    if not (data / "mysql").exists():
        STATE.mkdir(parents=True, exist_ok=True)
        install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", f"--user={user}", "--skip-test-db"]
        subprocess.run([*install, "--auth-root-authentication-method=normal"], check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = Server(host="127.0.0.1", port=probe.getsockname()[1], user="root", password="")
    with (STATE / "log").open("ab") as log:
        process = subprocess.Popen(
            [
                shutil.which("mariadbd") or "/usr/sbin/mariadbd",
                "--no-defaults",
                f"--user={user}",
                f"--datadir={data}",
                "--bind-address=127.0.0.1",
                f"--port={server.port}",
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
        waiting(lambda: server.connect().close())
        yield server
    finally:
        process.terminate()
        process.wait(timeout=300)


def database_of(studies: int) -> str:
    """Name of the database with so many studies."""
    return f"archive_{studies}"


def secret_of(server: Server, studies: int) -> dict[str, object]:
    """What `connection_factory` takes."""
    return {
        "host": server.host,
        "port": server.port,
        "username": server.user,
        "password": server.password,
        "dbname": database_of(studies),
    }
