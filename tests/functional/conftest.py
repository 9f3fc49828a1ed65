"""The application over fakes."""

from collections.abc import Iterator

import pytest
from chalice.test import Client

from app import app
from chalicelib.bootstrap import Services
from chalicelib.entrypoints import http
from tests.support.archive import Archive, running_archive
from tests.support.settings import SETTINGS


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    """The archive in memory that the application uses."""
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
