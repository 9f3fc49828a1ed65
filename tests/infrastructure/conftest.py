"""Templates of one archive with all optional settings, and of others to compare; synthesised once for all tests."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.infrastructure.support.synthesis import SETTINGS, SMALL_SETTINGS, Assembly, Template, read_assembly, run_cdk


@pytest.fixture(scope="session")
def viewer_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest viewer that can be deployed."""
    directory = tmp_path_factory.mktemp("viewer")
    (directory / "index.html").write_text("<!doctype html><title>Viewer</title>")
    (directory / "app.bundle.js").write_text("'use strict';")
    return directory


@pytest.fixture(scope="session")
def assemblies(tmp_path_factory: pytest.TempPathFactory, viewer_directory: Path) -> Mapping[str, Assembly]:
    """All syntheses that the tests read; two run concurrently."""
    root = tmp_path_factory.mktemp("assemblies")
    unsuppressed = "from cdk.__main__ import main; main(suppressed=False)"
    variants: Mapping[str, tuple[Mapping[str, Any], str | None]] = {
        "usual": (SETTINGS, None),
        "small": (SMALL_SETTINGS, None),
        # Serves two tests: one setting of the store differs, and no finding of cdk-nag is accepted.
        "other": ({**SETTINGS, "store_max_tasks": 17}, unsuppressed),
    }
    with ThreadPoolExecutor(2) as executor:
        runs = {
            name: executor.submit(run_cdk, root / name, settings, viewer_directory, code)
            for name, (settings, code) in variants.items()
        }
    for name, run in runs.items():
        result = run.result()
        if name != "other":
            assert result.returncode == 0, result.stderr
    return {name: read_assembly(root / name) for name in variants}


@pytest.fixture(scope="session")
def assembly(assemblies: Mapping[str, Assembly]) -> Assembly:
    """The archive with all optional settings."""
    return assemblies["usual"]


@pytest.fixture(scope="session")
def templates(assembly: Assembly) -> Mapping[str, Template]:
    """Its templates, by part."""
    return assembly.templates
