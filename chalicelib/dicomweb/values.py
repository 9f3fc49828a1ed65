"""Parsers for dates, times, integers and texts of DICOM; an invalid value never raises an error. Pure."""

import re
from datetime import date, time
from typing import Any

_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})\Z", re.ASCII)
_OLD_DATE = re.compile(r"(\d{4})\.(\d{2})\.(\d{2})\Z", re.ASCII)
_TIME = re.compile(r"(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.(\d{1,6}))?)?)?\Z", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,12}\Z", re.ASCII)
_INT32 = 2**31

NAME_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
"""Component groups of a person name, in order, as JSON (PS3.18 §F.2.2) and XML (PS3.19 §A.1) name them."""


def parse_date(text: str) -> date | None:
    """Parse a DA value, also in the old form ``1993.08.22`` (PS3.5 §6.2); return None if it is not valid."""
    found = _DATE.match(text.strip()) or _OLD_DATE.match(text.strip())
    if not found:
        return None
    try:
        return date(*(int(part) for part in found.groups()))
    except ValueError:
        return None


def parse_time_span(text: str) -> tuple[time, time] | None:
    """Return the first and the last moment that a TM value denotes (PS3.5 §6.2); None if it is not valid.

    ``1030`` denotes a minute: 10:30:00 to 10:30:59.999999.
    """
    found = _TIME.match(text.strip())
    if not found:
        return None
    hour, minute, second, fraction = found.groups()
    # PS3.5 §6.2 allows second 60 for a leap second; `time` does not.
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
    """Parse an IS value (PS3.5 §6.2); return None if it is not valid or does not fit into 32 bits, signed."""
    found = _INTEGER.match(text.strip())
    if not found:
        return None
    value = int(found.group())  # not int(text): it strips fewer characters than str.strip
    return value if -_INT32 <= value < _INT32 else None


def plain_text(value: object) -> str:
    """Return a value of the DICOM JSON Model as text without padding that can be encoded in UTF-8."""
    text = value if isinstance(value, str) else "" if value is None else str(value)
    # JSON can contain a lone surrogate, which UTF-8 cannot encode.
    return text.encode("utf-8", "replace").decode("utf-8").strip(" \0")


def first_value(element: Any) -> Any:
    """Return the first value of an element of the DICOM JSON Model that is not null, or None."""
    values = element.get("Value") if isinstance(element, dict) else None
    if not isinstance(values, list):
        return None
    return next((value for value in values if value is not None), None)
