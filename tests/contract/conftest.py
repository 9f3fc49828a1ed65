"""A real database for the contract tests, one for the whole session."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from localstack.parts.aws import EmulatedAws
from tests.contract.emulator import running_emulator
from tests.database_server import database


@pytest.fixture(scope="session")
def database_secret(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    directory: Path = tmp_path_factory.mktemp("database")
    with database(directory) as secret:
        yield secret


@pytest.fixture(scope="session")
def emulated_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatedAws]:
    with running_emulator(tmp_path_factory.mktemp("emulator")) as aws:
        yield aws
