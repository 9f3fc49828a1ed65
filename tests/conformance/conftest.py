"""A real database for the conformance tests, one for the whole session."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.database_server import database


@pytest.fixture(scope="session")
def database_secret(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    directory: Path = tmp_path_factory.mktemp("database")
    with database(directory) as secret:
        yield secret
