"""Ranges of dates and of times in one query: combining the two of one event, and checking their order. Pure."""

from datetime import datetime, time

from chalicelib.dicomweb.attributes import Attribute
from chalicelib.dicomweb.qido.matches import DateRangeMatch, DateTimeRangeMatch, Match, TimeRangeMatch
from chalicelib.errors import InvalidQueryError


def combine_ranges(dates: DateRangeMatch, times: TimeRangeMatch) -> DateTimeRangeMatch | None:
    """Combine a range of dates and a range of times into one range of moments (PS3.4 §C.2.2.2.5).

    Return None if an end of the times has no date to go with it: then each range is matched separately.
    """
    if (times.first and not dates.first) or (times.last and not dates.last):
        return None
    return DateTimeRangeMatch(
        first=datetime.combine(dates.first, times.first or time.min) if dates.first else None,
        last=datetime.combine(dates.last, times.last or time.max) if dates.last else None,
    )


def check_order(attribute: Attribute, match: Match) -> None:
    """Refuse a range that ends before it begins; to be called after ranges have been combined.

    Raises
    ------
    InvalidQueryError
        The range ends before it begins; the message names the attribute.
    """
    match match:
        case DateRangeMatch(first, last) | TimeRangeMatch(first, last) | DateTimeRangeMatch(first, last):
            # Both ends have the same type, which the union of three matches does not express.
            if first is not None and last is not None and first > last:  # type: ignore[operator]
                raise InvalidQueryError(f"{attribute.keyword}: the range ends before it begins")
