"""Runs a private MariaDB: own data directory, port and socket, one user with a random password."""

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
    """How to reach the index; `function_host` and `function_port` are where the functions see it.

    An `administrator` may also make other users, as the first user of a database cluster on AWS. With the PEM file of
    a `certificate` and its key, connections must be encrypted.
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
    """Start it, with an empty data directory where there is none, and wait until the user can log in."""
    data = layout.data / "mariadb"
    server = shutil.which("mariadbd") or "/usr/sbin/mariadbd"  # not on every user's PATH
    if not (data / "mysql").exists():
        _install(data, supervisor.log("mariadb-install"))
    supervisor.start(
        "mariadb",
        [
            server,
            "--no-defaults",
            f"--user={_user()}",  # as root it refuses to guess
            f"--datadir={data}",
            f"--bind-address={HOST}",
            f"--port={database.port}",
            "--socket=mariadb.sock",  # in the data directory; an absolute path may be too long
            f"--init-file={_write_init_file(layout.run, database)}",
            "--skip-name-resolve",
            "--skip-log-bin",
            "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_unicode_520_ci",
            "--innodb-buffer-pool-size=256M",
            "--max-connections=300",
            *_encryption(database.certificate),
        ],
        environment={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TZ": "UTC"},
        directory=layout.run,
        ready=lambda: _accepts(database),
    )


def _encryption(certificate: Path | None) -> list[str]:
    if certificate is None:
        return []
    return [f"--ssl-cert={certificate}", f"--ssl-key={certificate}", "--require-secure-transport=ON"]


def _user() -> str:
    """Who runs this; not getpass.getuser(), which believes the environment."""
    return pwd.getpwuid(os.getuid()).pw_name


def _install(data: Path, log: Path) -> None:
    partial = data.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    run_logged(
        "mariadb-install-db",
        [
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={partial}",
            f"--user={_user()}",
            "--auth-root-authentication-method=socket",  # root without a password: over the socket only
            f"--auth-root-socket-user={_user()}",
            "--skip-test-db",
            "--skip-name-resolve",
        ],
        log,
        timeout_seconds=_INSTALL_SECONDS,
    )
    partial.rename(data)  # an interrupted installation is never taken for a whole one


def _write_init_file(run: Path, database: Database) -> Path:
    """SQL that the server runs at each start; made of generated and configured names only."""
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
