"""Archives for tests: each is empty at its start, and is stopped in the end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from cdk.project import PROJECT
from localstack.archive import Archive
from localstack.configuration import Configuration
from localstack.parts.urls import Urls


@contextmanager
def private_archive(name: str, **changes: Any) -> Iterator[tuple[Archive, Urls]]:
    """Start an archive on the backend that BACKEND names, and stop it; yields the archive and its addresses.

    Parameters
    ----------
    name
        Name of its state directory. The next run keeps the deployment package in it, and removes the data.
    **changes
        Fields of the configuration that differ from the defaults.
    """
    state = PROJECT / ".local" / name
    environment = {"STATE_DIR": str(state), "SAMPLE": "0", "BACKEND": os.environ.get("BACKEND", "")}
    configuration = replace(Configuration.from_environment(environment), **changes)
    archive = Archive(configuration)
    archive.stop()  # ends what a killed test run left running
    for directory in (configuration.layout.data, configuration.layout.run):
        shutil.rmtree(directory, ignore_errors=True)
    configuration.layout.create()
    try:
        yield archive, archive.start()
    finally:
        archive.stop()
