"""The running archive that the tests of this directory drive: one for the whole session, with its own state."""

import json
import os
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.harness)


@pytest.fixture(scope="session")
def archive():
    """Addresses of a running archive (localstack.archive.Urls), empty at the session's start.

    ARCHIVE_URLS names a file with the output of `make urls` to use an archive that runs already; what a test
    stores stays in it then.
    """
    from localstack.archive import Urls
    from tests.e2e.private_archive import private_archive

    if file := os.environ.get("ARCHIVE_URLS"):
        yield Urls(**json.loads(Path(file).read_text()))
        return
    with private_archive("test") as (_, urls):
        yield urls


@pytest.fixture(scope="session")
def backend(archive):
    """The services behind the archive (tests.e2e.backend.Backend)."""
    from tests.e2e.backend import Backend

    return Backend(archive)
