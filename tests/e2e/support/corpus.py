"""Collections of DICOM files that are not part of the project; $DICOM_CORPUS names their directory."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest


def corpus_path(name: str) -> Path | None:
    """Return the path of a file or directory of the corpus, or None if it does not exist."""
    root = os.environ.get("DICOM_CORPUS")
    path = Path(root) / name if root else None
    return path if path is not None and path.exists() else None


def needs_corpus(name: str) -> pytest.MarkDecorator:
    """Return a mark that skips a test if a part of the corpus does not exist."""
    return pytest.mark.skipif(
        corpus_path(name) is None, reason=f"$DICOM_CORPUS/{name} is not there: set DICOM_CORPUS to run this test"
    )


def read_table(name: str) -> list[dict[str, str]]:
    """Return the rows of a table of the corpus; an empty list if it does not exist."""
    path = corpus_path(name)
    if path is None:
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
