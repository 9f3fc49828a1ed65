"""Connections with a secret that is rotated now and then, encrypted as the settings say."""

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
_PACKAGE = Path(__file__).resolve().parents[3]  # what is deployed: the directory that holds chalicelib

ReadSecret = Callable[[], Mapping[str, Any]]


def tls_context(tls: DatabaseTls, ca_file: str | None = None) -> ssl.SSLContext | None:
    """How connections are encrypted; None for as the server offers it.

    Parameters
    ----------
    ca_file
        PEM file of the authorities of `DatabaseTls.VERIFIED`, its path from the directory that holds chalicelib, or
        absolute; those of Amazon RDS where it is None.
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
    """Opens connections; to be called from any thread.

    Strategy: the secret is kept, since reading it takes a call and is paid for. A server that refuses a
    connection may do so because the secret was rotated, or moved to another server: then it is read again,
    and tried once more if it is another one.

    Parameters
    ----------
    read_secret
        The secret as it is now, in the JSON form that RDS keeps.
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
