"""The application over fakes, and a real database server, which is one for the whole session."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from chalice.test import Client

from app import app
from chalicelib.bootstrap import Services
from chalicelib.entrypoints import http
from tests.database_server import Server, running_server
from tests.settings import SETTINGS
from tests.unit.services.archive import Archive, running_archive


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    """What the application stores into and reads from, in memory."""
    with running_archive() as running:
        services = Services(
            SETTINGS, objects=running.objects, records=running.records, index=running.index, queue=running.queue
        )
        monkeypatch.setattr(http, "services", lambda: services)
        yield running


@pytest.fixture
def client() -> Iterator[Client]:
    """A client of the application."""
    with Client(app) as client:
        yield client


@pytest.fixture(scope="session")
def database_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory: Path = tmp_path_factory.mktemp("database")
    with running_server(directory) as server:
        yield server
