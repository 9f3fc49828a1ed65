"""Fixtures of the real services that tests use; each runs once for the whole session, on free loopback ports."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from localstack.parts.aws import EmulatedAws
from tests.support.database_server import Server, database, running_server
from tests.support.emulator import running_emulator


@pytest.fixture(scope="session")
def database_secret(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    """Secret of an empty database with the schema, in RDS's form."""
    directory: Path = tmp_path_factory.mktemp("database")
    with database(directory) as secret:
        yield secret


@pytest.fixture(scope="session")
def database_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A database server, on which tests make databases and users of their own."""
    directory: Path = tmp_path_factory.mktemp("database")
    with running_server(directory) as server:
        yield server


@pytest.fixture(scope="session")
def emulated_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatedAws]:
    """An emulator of S3, DynamoDB and SQS, without an archive in it."""
    with running_emulator(tmp_path_factory.mktemp("emulator")) as aws:
        yield aws
