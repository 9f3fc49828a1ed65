"""A search is planned once: QidoQuery → SearchPlan. Pure.

`plan` makes every decision that depends on the query alone. `statements` writes the plan as SQL, and `search` runs it:
it chooses between a candidate list and an ordered scan, since that depends on how many studies the lists have.

Three terms are used in all of these modules:

candidate list
    Keys of studies that an index gives for one condition. Every study with a hit is in the list; the list may
    hold a study twice, and studies without a hit. The statement that finds the page therefore reads the rows of
    these studies and checks all conditions again.
ordered scan
    Reading the rows in the order of the hits, from the index that has this order, and checking the conditions
    on each row until the page is full. It is fast where hits are frequent.
look-ahead
    Hits after the page that are read only to be counted, up to a limit. If there are more, the answer says that
    at least this many follow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from chalicelib.adapters.mysql.candidates import CandidateList, candidate_lists
from chalicelib.adapters.mysql.conditions import Statement, where_clause
from chalicelib.adapters.mysql.schema import NO_DAY, ORDER_INDEXED
from chalicelib.dicomweb.attributes import SERIES_INSTANCE_UID, STUDY_INSTANCE_UID, UID_OF_LEVEL, Level
from chalicelib.dicomweb.qido.matches import DateRangeMatch, DateTimeRangeMatch, UidListMatch, UniversalMatch
from chalicelib.dicomweb.qido.query import Condition, QidoQuery

_UID_TAGS = {attribute.tag for attribute in UID_OF_LEVEL.values()}


class DayRange(NamedTuple):
    """First and last day, both included, as the table ``study_days`` numbers them."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPlan:
    """Everything that is known about a search before the database is read.

    Parameters
    ----------
    level, limit, offset
        As in the query.
    conditions
        The conditions that restrict the search: the UIDs of the path, and the matching keys without universal
        matches.
    where
        The same as SQL; empty, or beginning with `` WHERE``.
    days
        Range of the days of all hits; None if the search does not restrict them, or is not for studies.
    days_only
        Whether all studies of `days` are hits, so that the number of hits is the sum of the days' numbers.
    names_entity
        Whether UIDs restrict the search to certain studies, series or instances. The server then finds them
        quickly by itself.
    order_covers_conditions
        Whether the index with the order of the hits has the columns of all conditions, so that an ordered scan
        reads the index alone.
    candidate_lists
        The candidate lists; those that are expected to be shortest or fastest to read come first. Empty if no index
        serves a condition, and for searches with `days_only` or `names_entity`, which need none.
    """

    level: Level
    limit: int
    offset: int
    conditions: tuple[Condition, ...]
    where: Statement
    days: DayRange | None
    days_only: bool
    names_entity: bool
    order_covers_conditions: bool
    candidate_lists: tuple[CandidateList, ...]


def plan(query: QidoQuery) -> SearchPlan:
    """Plan a search; the only function of this adapter that reads the query."""
    conditions = _restricting_conditions(query)
    days = _day_range(query.level, conditions)
    days_only = (
        days is not None
        and len(conditions) <= 1
        and all(isinstance(condition.match, DateRangeMatch) for condition in conditions)
    )
    names_entity = any(
        condition.attribute.tag in _UID_TAGS and isinstance(condition.match, UidListMatch) for condition in conditions
    )
    return SearchPlan(
        level=query.level,
        limit=query.limit,
        offset=query.offset,
        conditions=conditions,
        where=where_clause(conditions),
        days=days,
        days_only=days_only,
        names_entity=names_entity,
        order_covers_conditions=query.level is Level.STUDY
        and all(condition.attribute.keyword in ORDER_INDEXED for condition in conditions),
        candidate_lists=() if days_only or names_entity else candidate_lists(query.level, conditions),
    )


def _restricting_conditions(query: QidoQuery) -> tuple[Condition, ...]:
    path = (
        (STUDY_INSTANCE_UID, query.study_instance_uid),
        (SERIES_INSTANCE_UID, query.series_instance_uid),
    )
    return (
        *(Condition(attribute, UidListMatch((uid,))) for attribute, uid in path if uid is not None),
        *(condition for condition in query.conditions if not isinstance(condition.match, UniversalMatch)),
    )


def _day_range(level: Level, conditions: Sequence[Condition]) -> DayRange | None:
    if level is not Level.STUDY:
        return None
    if not conditions:
        return DayRange(NO_DAY, date.max.toordinal())
    for condition in conditions:
        match = condition.match
        if condition.attribute.keyword == "StudyDate" and isinstance(match, DateRangeMatch | DateTimeRangeMatch):
            return DayRange((match.first or date.min).toordinal(), (match.last or date.max).toordinal())
    return None
