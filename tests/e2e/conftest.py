"""The running archive that the tests of this directory use: one for the whole session, with its own state."""

import os
from pathlib import Path

import pytest

_RUNNING = os.environ.get("ARCHIVE_URLS")


def pytest_generate_tests(metafunc):
    """Run marked tests with an archive of each way of deployment, and all others with the default one."""
    has_its_own = hasattr(metafunc.module, "archive")
    if "archive" not in metafunc.fixturenames or has_its_own or _RUNNING:
        return
    from localstack.configuration import DEPLOYMENTS

    marked = metafunc.definition.get_closest_marker("every_deployment") is not None
    everywhere = marked and os.environ.get("BACKEND") != "localstack"  # its free edition has no RDS and no ECS
    metafunc.parametrize("archive", DEPLOYMENTS if everywhere else DEPLOYMENTS[:1], indirect=True, scope="session")


@pytest.fixture(scope="session")
def archive(request):
    """Addresses of a running archive (localstack.parts.urls.Urls), empty at the session's start.

    BACKEND chooses its backend. To use an archive that runs already, set ARCHIVE_URLS to a file with the output
    of `make urls`; the studies that the tests store stay in it.
    """
    from localstack.parts.urls import Urls
    from tests.e2e.support.private_archive import private_archive

    if _RUNNING:
        yield Urls.from_json(Path(_RUNNING).read_text())
        return
    with private_archive(f"test-{request.param}", deployment=request.param) as (_, urls):
        yield urls


@pytest.fixture(scope="session")
def backend(archive):
    """The AWS services of the archive (tests.e2e.support.backend.Backend)."""
    from tests.e2e.support.backend import Backend

    return Backend(archive)
