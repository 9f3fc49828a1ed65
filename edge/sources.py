"""The JavaScript files and the nginx template of this folder, which are read as text."""

from pathlib import Path

EDGE_DIRECTORY = Path(__file__).resolve().parent


def edge_source(name: str) -> str:
    """Text of a file of this folder, such as ``route.js``."""
    return (EDGE_DIRECTORY / name).read_text(encoding="utf-8")
