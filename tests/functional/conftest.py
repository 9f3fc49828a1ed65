"""A real database server for the tests of this directory, one for the whole session."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.database_server import Server, running_server


@pytest.fixture(scope="session")
def database_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory: Path = tmp_path_factory.mktemp("database")
    with running_server(directory) as server:
        yield server
