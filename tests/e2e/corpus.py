"""Collections of DICOM files that are not part of the project: $DICOM_CORPUS names the directory that holds them."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest


def corpus_path(name: str) -> Path | None:
    """A file or directory of the corpus, None where there is no corpus."""
    root = os.environ.get("DICOM_CORPUS")
    path = Path(root) / name if root else None
    return path if path is not None and path.exists() else None


def needs_corpus(name: str) -> pytest.MarkDecorator:
    """Skip a test where a part of the corpus is absent."""
    return pytest.mark.skipif(
        corpus_path(name) is None, reason=f"$DICOM_CORPUS/{name} is not there: set DICOM_CORPUS to run this test"
    )


def read_table(name: str) -> list[dict[str, str]]:
    """Rows of one of the corpus's tables; none where there is no corpus."""
    path = corpus_path(name)
    if path is None:
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
