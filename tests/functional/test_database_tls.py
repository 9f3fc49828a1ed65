"""Encryption of connections to a database server that has its own certificate."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pymysql
import pytest
import trustme

from chalicelib.adapters.mysql.connections import connection_factory
from chalicelib.adapters.mysql.credentials import tls_context
from chalicelib.settings import DatabaseTls
from tests.support.database_server import Server, private_server

RDS_AUTHORITIES = Path(__file__).resolve().parents[2] / "chalicelib" / "adapters" / "mysql" / "rds_authorities.pem"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture(scope="module")
def tls_database_server(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Iterator[Server]:
    """A server whose certificate names it localhost."""
    directory: Path = tmp_path_factory.mktemp("database")
    certificate = authority.issue_cert("localhost")
    certificate.cert_chain_pems[0].write_to_path(directory / "cert.pem")
    certificate.private_key_pem.write_to_path(directory / "key.pem")
    with private_server(
        directory, f"--ssl-cert={directory / 'cert.pem'}", f"--ssl-key={directory / 'key.pem'}"
    ) as running:
        yield running


@pytest.fixture
def plain_database_server(tmp_path: Path) -> Iterator[Server]:
    """A server without TLS."""
    with private_server(tmp_path, "--skip-ssl") as running:
        yield running


def cipher(server: Server, tls: ssl.SSLContext | None, host: str = "localhost") -> str:
    """The cipher of a connection; empty without one."""
    secret = {"host": host, "port": server.port, "username": server.user, "password": server.password}
    with closing(connection_factory(secret, tls)()) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
        [(_, value)] = cursor.fetchall()
    return str(value)


@pytest.mark.parametrize("tls", [DatabaseTls.PREFERRED, DatabaseTls.REQUIRED])
def test_a_server_with_a_certificate_is_talked_to_encrypted(tls_database_server: Server, tls: DatabaseTls) -> None:
    assert cipher(tls_database_server, tls_context(tls))


def test_a_certificate_of_the_given_authority_is_accepted(tls_database_server: Server, ca_file: Path) -> None:
    assert cipher(tls_database_server, tls_context(DatabaseTls.VERIFIED, str(ca_file)))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_another_authority_or_another_name_is_refused(tls_database_server: Server, ca_file: Path, host: str) -> None:
    authorities = None if host == "localhost" else str(ca_file)
    with pytest.raises(pymysql.err.OperationalError, match="certificate verify failed"):
        cipher(tls_database_server, tls_context(DatabaseTls.VERIFIED, authorities), host)


def test_a_server_without_tls_is_refused_where_it_is_required(plain_database_server: Server) -> None:
    assert cipher(plain_database_server, tls_context(DatabaseTls.PREFERRED), "127.0.0.1") == ""
    with pytest.raises(pymysql.err.OperationalError, match="SSL is required"):
        cipher(plain_database_server, tls_context(DatabaseTls.REQUIRED), "127.0.0.1")


def test_the_authorities_that_are_shipped_are_those_of_rds_and_valid_for_years() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(RDS_AUTHORITIES)
    authorities = context.get_ca_certs()
    assert len(authorities) == 81
    for authority in authorities:
        name = dict(pair[0] for pair in authority["subject"])["commonName"]
        assert name.startswith("Amazon RDS ")
        assert " Root CA " in name
        assert authority["notAfter"][-8:-4] > "2060"
