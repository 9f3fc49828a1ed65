"""Dates, times and integers of DICOM text, read without ever raising. Pure."""

import re
from datetime import date, time
from typing import Any

_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})\Z", re.ASCII)
_OLD_DATE = re.compile(r"(\d{4})\.(\d{2})\.(\d{2})\Z", re.ASCII)
_TIME = re.compile(r"(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.(\d{1,6}))?)?)?\Z", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,12}\Z", re.ASCII)
_INT32 = 2**31


def parse_date(text: str) -> date | None:
    """Read a DA value, also in the old form ``1993.08.22``; None if it is none."""
    found = _DATE.match(text.strip()) or _OLD_DATE.match(text.strip())
    if not found:
        return None
    try:
        return date(*(int(part) for part in found.groups()))
    except ValueError:
        return None


def parse_time_span(text: str) -> tuple[time, time] | None:
    """First and last moment that a TM value names: ``1030`` is the whole minute; None if it is none."""
    found = _TIME.match(text.strip())
    if not found:
        return None
    hour, minute, second, fraction = found.groups()
    # Second 60 is legal in a leap second (PS3.5 §6.2); no clock type has it.
    seconds = None if second is None else 59 if second == "60" else int(second)
    digits = fraction or ""
    try:
        first = time(int(hour), int(minute or 0), seconds or 0, int(digits.ljust(6, "0")))
        last = time(
            int(hour),
            59 if minute is None else int(minute),
            59 if seconds is None else seconds,
            int(digits.ljust(6, "9")),
        )
    except ValueError:
        return None
    return first, last


def parse_integer(text: str) -> int | None:
    """Read an IS value that fits 32 bits (PS3.5 §6.2); None if it is none."""
    found = _INTEGER.match(text.strip())
    if not found:
        return None
    value = int(found.group())  # not int(text): it strips fewer characters than str.strip
    return value if -_INT32 <= value < _INT32 else None


def plain_text(value: object) -> str:
    """A value of the DICOM JSON Model as text that any UTF-8 database takes, without padding."""
    text = value if isinstance(value, str) else "" if value is None else str(value)
    # A lone surrogate, which JSON can carry, has no UTF-8 form.
    return text.encode("utf-8", "replace").decode("utf-8").strip(" \0")


def first_value(element: Any) -> Any:
    """First value of an element of the DICOM JSON Model that is not null, or None."""
    values = element.get("Value") if isinstance(element, dict) else None
    if not isinstance(values, list):
        return None
    return next((value for value in values if value is not None), None)
