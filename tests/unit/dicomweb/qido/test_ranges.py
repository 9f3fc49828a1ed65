"""Ranges of a date and of its time: when they are one range of moments, and which order is refused."""

from datetime import date, datetime, time

import pytest

from chalicelib.dicomweb.attributes import BY_KEYWORD
from chalicelib.dicomweb.qido.matches import DateRangeMatch, DateTimeRangeMatch, Match, TimeRangeMatch, UniversalMatch
from chalicelib.dicomweb.qido.ranges import check_order, combine_ranges
from chalicelib.errors import InvalidQueryError

FIRST, LAST = date(2024, 1, 1), date(2024, 1, 2)
TEN, ELEVEN = time(10), time(11)


@pytest.mark.parametrize(
    ("dates", "times", "moments"),
    [
        ((FIRST, LAST), (TEN, ELEVEN), (datetime(2024, 1, 1, 10), datetime(2024, 1, 2, 11))),
        ((FIRST, LAST), (TEN, None), (datetime(2024, 1, 1, 10), datetime(2024, 1, 2, 23, 59, 59, 999999))),
        ((FIRST, LAST), (None, ELEVEN), (datetime(2024, 1, 1), datetime(2024, 1, 2, 11))),
        ((FIRST, None), (TEN, None), (datetime(2024, 1, 1, 10), None)),
        ((None, LAST), (None, ELEVEN), (None, datetime(2024, 1, 2, 11))),
    ],
)
def test_each_end_of_the_moments_has_a_date_and_its_time(
    dates: tuple[date | None, date | None],
    times: tuple[time | None, time | None],
    moments: tuple[datetime | None, datetime | None],
) -> None:
    assert combine_ranges(DateRangeMatch(*dates), TimeRangeMatch(*times)) == DateTimeRangeMatch(*moments)


@pytest.mark.parametrize(("dates", "times"), [((FIRST, None), (TEN, ELEVEN)), ((None, LAST), (TEN, None))])
def test_an_end_of_the_times_without_a_date_keeps_the_ranges_apart(
    dates: tuple[date | None, date | None], times: tuple[time | None, time | None]
) -> None:
    assert combine_ranges(DateRangeMatch(*dates), TimeRangeMatch(*times)) is None


@pytest.mark.parametrize("match", [DateRangeMatch(LAST, FIRST), TimeRangeMatch(ELEVEN, TEN)])
def test_a_range_that_ends_before_it_begins_is_refused_by_the_name_of_its_attribute(match: Match) -> None:
    with pytest.raises(InvalidQueryError, match="StudyDate: the range ends before it begins"):
        check_order(BY_KEYWORD["StudyDate"], match)


@pytest.mark.parametrize(
    "match", [DateRangeMatch(FIRST, FIRST), DateRangeMatch(LAST, None), TimeRangeMatch(None, TEN), UniversalMatch()]
)
def test_other_matches_are_in_order(match: Match) -> None:
    check_order(BY_KEYWORD["StudyDate"], match)
