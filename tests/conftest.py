"""Settings, markers and fixtures of all tests."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).parent

pytest_plugins = ["tests.support.services"]

# `make check` leaves out what bears one of these marks.
MARKER_OF_FOLDER = {"infrastructure": "infrastructure", "e2e": "harness"}
MARKER_OF_FIXTURE = dict.fromkeys(
    ("database_secret", "database_server", "tls_database_server", "plain_database_server", "emulated_aws"), "database"
)

# aws-cdk-lib starts the node that it finds: that of the virtual environment, where the system has none.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

# How long a machine takes to make an example says nothing about the code, least of all in the first seconds.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its folder, and by the services that its fixtures start.

    A fixture that starts a service for one of its parameters only marks that parameter itself.
    """
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        fixtures = getattr(item, "fixturenames", ())
        names = {MARKER_OF_FOLDER.get(folder)} | {MARKER_OF_FIXTURE.get(fixture) for fixture in fixtures}
        for name in names - {None}:
            item.add_marker(str(name))
