"""Runs a private MariaDB with its own data directory, port and socket, and one user with a random password."""

import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
from pymysql.connections import Connection

from localstack.commands import run_logged
from localstack.configuration import HOST, Layout
from localstack.processes import Supervisor

_INSTALL_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """Address and account of the index; the functions reach it at `function_host` and `function_port`.

    An `administrator` may also create users, as the first user of a database cluster on AWS may. With a `certificate`,
    a PEM file that also holds the key, connections must be encrypted.
    """

    port: int
    function_host: str
    function_port: int
    name: str
    user: str
    password: str
    host: str = HOST
    administrator: bool = False
    certificate: Path | None = None


def start_mariadb(supervisor: Supervisor, layout: Layout, database: Database) -> None:
    """Start the server and wait until the archive's user can log in; the first start creates an empty data directory.

    Raises
    ------
    HarnessError
        MariaDB cannot be installed into the data directory, ended, or was not ready in time.
    """
    data = layout.data / "mariadb"
    create_data_directory(
        data,
        supervisor.log("mariadb-install"),
        "--auth-root-authentication-method=socket",  # root has no password, and can log in over the socket only
        f"--auth-root-socket-user={_user()}",
        "--skip-name-resolve",
    )
    supervisor.start(
        "mariadb",
        server_command(
            data,
            database.port,
            f"--init-file={_write_init_file(layout.run, database)}",
            "--skip-name-resolve",
            "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_unicode_520_ci",
            "--innodb-buffer-pool-size=256M",
            "--max-connections=300",
            *_encryption(database.certificate),
        ),
        environment={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TZ": "UTC"},
        directory=layout.run,
        ready=lambda: _accepts(database),
    )


def create_data_directory(data: Path, log: Path, *options: str) -> None:
    """Install the system tables into a data directory, unless it has them.

    Parameters
    ----------
    log
        File for the output of mariadb-install-db.
    options
        Further options of mariadb-install-db.

    Raises
    ------
    HarnessError
        mariadb-install-db is not installed, or failed.
    """
    if (data / "mysql").exists():
        return
    partial = data.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    run_logged(
        "mariadb-install-db",
        [
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={partial}",
            f"--user={_user()}",
            "--skip-test-db",
            *options,
        ],
        log,
        timeout_seconds=_INSTALL_SECONDS,
    )
    partial.rename(data)  # an interrupted installation is never taken for a complete one


def server_command(data: Path, port: int, *options: str) -> list[str]:
    """Return the command of a server on the loopback interface, with further options of mariadbd."""
    return [
        shutil.which("mariadbd") or "/usr/sbin/mariadbd",  # not on every user's PATH
        "--no-defaults",
        f"--user={_user()}",  # run by root, mariadbd does not start without it
        f"--datadir={data}",
        f"--bind-address={HOST}",
        f"--port={port}",
        "--socket=mariadb.sock",  # in the data directory; an absolute path may be too long
        "--skip-log-bin",
        *options,
    ]


def _encryption(certificate: Path | None) -> list[str]:
    if certificate is None:
        return []
    return [f"--ssl-cert={certificate}", f"--ssl-key={certificate}", "--require-secure-transport=ON"]


def _user() -> str:
    """Return the name of this process's user; getpass.getuser() would believe the environment."""
    return pwd.getpwuid(os.getuid()).pw_name


def _write_init_file(run: Path, database: Database) -> Path:
    """Write the SQL that the server runs at each start; it contains generated and configured names only."""
    account = f"'{database.user}'@'{database.host}'"
    rights = f"*.* TO {account} WITH GRANT OPTION" if database.administrator else f"`{database.name}`.* TO {account}"
    path = run / "mariadb-init.sql"
    path.touch(mode=0o600)
    path.write_text(
        f"CREATE DATABASE IF NOT EXISTS `{database.name}`;\n"
        f"CREATE USER IF NOT EXISTS {account};\n"
        f"ALTER USER {account} IDENTIFIED BY '{database.password}';\n"
        f"GRANT ALL ON {rights};\n"
    )
    return path


def connect(database: Database) -> "Connection[Any]":
    """Open a connection as the archive's user."""
    return pymysql.connect(
        host=database.host,
        port=database.port,
        user=database.user,
        password=database.password,
        database=database.name,
        connect_timeout=5,
        autocommit=True,
    )


def _accepts(database: Database) -> bool:
    try:
        connect(database).close()
    except pymysql.err.OperationalError:
        return False
    return True
