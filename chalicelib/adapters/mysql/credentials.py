"""Connections with a secret that may be rotated at any time, encrypted according to the settings."""

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pymysql

from chalicelib.adapters.mysql.connections import connection_factory
from chalicelib.settings import DatabaseTls

if TYPE_CHECKING:
    from pymysql.connections import Connection

_RDS_AUTHORITIES = Path(__file__).with_name("rds_authorities.pem")
_PACKAGE = Path(__file__).resolve().parents[3]  # root of the deployment package: the directory of chalicelib

ReadSecret = Callable[[], Mapping[str, Any]]


def tls_context(tls: DatabaseTls, ca_file: str | None = None) -> ssl.SSLContext | None:
    """Return the TLS context of the connections; None for DatabaseTls.PREFERRED: encrypted if the server offers it.

    Parameters
    ----------
    ca_file
        PEM file of the authorities that `DatabaseTls.VERIFIED` trusts: an absolute path, or relative to the directory
        of chalicelib. The authorities of Amazon RDS if it is None.
    """
    if tls is DatabaseTls.PREFERRED:
        return None
    if tls is DatabaseTls.VERIFIED:
        return ssl.create_default_context(cafile=_PACKAGE / ca_file if ca_file else _RDS_AUTHORITIES)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class SecretConnections:
    """Opens connections; can be called from any thread.

    Strategy: the secret is kept in memory, since each read is a call that costs time and money. A server may refuse
    a connection because the secret was rotated, or because the database moved to another server. The secret is then
    read again, and if it has changed, the connection is tried once more.

    Parameters
    ----------
    read_secret
        Reads the current secret, in the JSON form of RDS secrets.
    tls
        See `tls_context`.
    """

    def __init__(self, read_secret: ReadSecret, tls: ssl.SSLContext | None = None) -> None:
        self._read_secret = read_secret
        self._tls = tls
        self._secret: Mapping[str, Any] | None = None

    def __call__(self) -> "Connection[Any]":
        """Open a connection."""
        kept = self._secret
        if kept is not None:
            try:
                return connection_factory(kept, self._tls)()
            except pymysql.err.OperationalError:
                fresh = self._read_secret()
                if fresh == kept:
                    raise
        else:
            fresh = self._read_secret()
        connection = connection_factory(fresh, self._tls)()
        self._secret = fresh
        return connection
