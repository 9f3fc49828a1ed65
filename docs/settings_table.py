"""Writes the rows of `chalicelib.settings` into the README: ``python -m docs.settings_table README.md``."""

import sys
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

from chalicelib.settings import GIB, MIB, Settings, StowSettings

BEGIN = "<!-- settings: begin; `make readme` writes these tables from chalicelib/settings.py -->"
END = "<!-- settings: end -->"


def settings_tables() -> str:
    """Tables in Markdown: the settings of all processes, and those of the STOW service alone."""
    return "\n\n".join(
        (
            "The functions and the STOW service read:",
            _table(fields(Settings)),
            "The STOW service alone reads:",
            _table(fields(StowSettings)),
        )
    )


def with_settings_tables(document: str) -> str:
    """The document with the current tables between the two markers.

    Raises
    ------
    ValueError
        A marker is missing.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document has no lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{settings_tables()}\n\n{END}{after}"


def _table(settings: tuple[Field[Any], ...]) -> str:
    rows = [f"| `{each.metadata['variable']}` | {_default(each)} | {each.metadata['meaning']} |" for each in settings]
    return "\n".join(("| variable | default | meaning |", "|---|---|---|", *rows))


def _default(setting: Field[Any]) -> str:
    value = setting.default
    if value is MISSING:
        return "required"
    if value is None:
        return "none"
    if isinstance(value, str):
        return f"`{value}`"
    if setting.name.endswith("_bytes"):
        return f"{value // GIB} GiB" if value % GIB == 0 else f"{value // MIB} MiB"
    return f"{value:g} s" if setting.name.endswith("_seconds") else f"{value}"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(with_settings_tables(path.read_text(encoding="utf-8")), encoding="utf-8")
