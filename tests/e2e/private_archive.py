"""Archives that only the tests know: each starts empty, and is ended with them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from localstack.archive import Archive
from localstack.configuration import PROJECT, Configuration
from localstack.urls import Urls


@contextmanager
def private_archive(name: str, **changes: Any) -> Iterator[tuple[Archive, Urls]]:
    """Start an archive by the backend that BACKEND names, and end it; gives what controls it, and its addresses.

    Parameters
    ----------
    name
        Of its state directory. The deployment package in it is kept from run to run, its data are not.
    **changes
        Fields of the harness's configuration.
    """
    state = PROJECT / ".local" / name
    environment = {"STATE_DIR": str(state), "SAMPLE": "0", "BACKEND": os.environ.get("BACKEND", "")}
    configuration = replace(Configuration.from_environment(environment), **changes)
    archive = Archive(configuration)
    archive.stop()  # what a killed test run left
    for directory in (configuration.layout.data, configuration.layout.run):
        shutil.rmtree(directory, ignore_errors=True)
    configuration.layout.create()
    try:
        yield archive, archive.start()
    finally:
        archive.stop()
