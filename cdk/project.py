"""The checkout that is deployed, and copies of its sources, since Chalice writes into the project that it packages.

Imports the standard library only: the harness and the tests use this module without the CDK's libraries.
"""

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
"""Directory of this checkout."""

CHALICE_SOURCES = ("app.py", "chalicelib", "requirements.txt")
"""The files and folders that Chalice packages."""

CHALICE_CONFIGURATION = Path(".chalice", "config.json")
"""Chalice's configuration, relative to its project."""


def committed_configuration() -> dict[str, Any]:
    """Chalice's configuration as it is committed."""
    configuration: dict[str, Any] = json.loads((PROJECT / CHALICE_CONFIGURATION).read_text(encoding="utf-8"))
    return configuration


def copy_sources(names: Iterable[str], directory: Path) -> None:
    """Copy files and folders of the checkout to the same places below a directory, in place of an earlier copy.

    Left out are caches, installed packages, and the configuration of this checkout's own deployment.

    Raises
    ------
    FileNotFoundError
        If one of the sources is missing in this checkout.
    """
    ignored = shutil.ignore_patterns("__pycache__", "node_modules", "deployment.toml")
    for name in names:
        source, target = PROJECT / name, directory / name
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=ignored)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


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
    copy_sources(CHALICE_SOURCES, directory)
    target = directory / CHALICE_CONFIGURATION
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(configuration, indent=2), encoding="utf-8")
