"""The checkout that is deployed, and copies of it for Chalice, which writes into the project that it packages.

Imports the standard library only: the harness uses this module without the CDK's libraries.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]

CHALICE_SOURCES = ("app.py", "chalicelib", "requirements.txt")
"""The files and folders that Chalice packages."""

CHALICE_CONFIGURATION = Path(".chalice", "config.json")
"""Chalice's configuration, relative to its project."""


def committed_configuration() -> dict[str, Any]:
    """Chalice's configuration as it is committed."""
    configuration: dict[str, Any] = json.loads((PROJECT / CHALICE_CONFIGURATION).read_text(encoding="utf-8"))
    return configuration


def copy_chalice_project(directory: Path, configuration: Mapping[str, Any]) -> None:
    """Copy the sources that Chalice packages, and write the configuration that it reads beside them.

    Sources of an earlier copy are replaced. Chalice's own files in the directory stay: its record of what it has
    deployed, and its cache of the dependencies.

    Parameters
    ----------
    directory
        Where the copy is kept; created if it does not exist.
    configuration
        Content of the copy's ``.chalice/config.json``.

    Raises
    ------
    FileNotFoundError
        If one of the sources is missing in this checkout.
    """
    target_configuration = directory / CHALICE_CONFIGURATION
    target_configuration.parent.mkdir(parents=True, exist_ok=True)
    for name in CHALICE_SOURCES:
        source, target = PROJECT / name, directory / name
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    target_configuration.write_text(json.dumps(configuration, indent=2), encoding="utf-8")
