"""Number strings, person names and empty values in the DICOM JSON Model (PS3.18 §F.2.2 to §F.2.5)."""

import math
import re
from typing import Any

from pydicom.valuerep import PersonName

NUMBER_STRING_VRS = {"IS", "DS"}

# PS3.5 Table 6.2-1, except the lengths: what exceeds them is a number nevertheless.
_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def number_strings(vr: str, value: Any) -> list[Any]:
    """Values of an IS or DS element: numbers, the text of what is not one, and None for empty values.

    A value such as IS ``0.8`` or DS ``1e400`` is not a number of its VR. Annex F allows its text, and a number would
    be another one.

    Parameters
    ----------
    value
        As the file has it, or as pydicom converted it.
    """
    return [_number(vr, text) for text in _texts(value)]


def person_names(value: Any) -> list[dict[str, str] | None]:
    """Values of a PN element: component groups without the empty ones, and None for empty values."""
    names = [value] if isinstance(value, PersonName | str) else list(value or [])
    return [_groups(PersonName(name)) or None for name in names]


def without_value_if_empty(vr: str, values: list[Any]) -> dict[str, Any]:
    """The element with these values; without a value if none of them has one."""
    return {"vr": vr, "Value": values} if any(value is not None for value in values) else {"vr": vr}


def _texts(value: Any) -> list[str]:
    if isinstance(value, bytes):
        return [text.strip(" \0") for text in value.decode("ascii", "replace").split("\\")]
    values = [value] if isinstance(value, str | int | float) or value is None else list(value)
    # pydicom keeps the text that a number was read from.
    return ["" if each is None else str(getattr(each, "original_string", each)).strip(" \0") for each in values]


def _number(vr: str, text: str) -> int | float | str | None:
    if not text:
        return None
    if vr == "IS":
        return int(text) if _INTEGER.fullmatch(text) else text
    number = float(text) if _DECIMAL.fullmatch(text) else math.inf
    return number if math.isfinite(number) else text


def _groups(name: PersonName) -> dict[str, str]:
    groups = {"Alphabetic": name.alphabetic, "Ideographic": name.ideographic, "Phonetic": name.phonetic}
    return {group: text for group, text in groups.items() if text}
