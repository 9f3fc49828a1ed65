"""Runs a planned search on a connection: finds the page, and how many hits follow it.

Strategy: the server is not left to choose between an ordered scan and sorting all matching rows. For every
attribute there are values for which it chooses wrongly (a rare modality, a PatientID that all anonymised
studies have). Instead, the candidate lists are read one after the other, each up to a length that is read
quickly. If a list is shorter, the hits are sought among its studies only. If all lists are longer, hits are
frequent, and an ordered scan fills the page soon. See `plan` for the terms.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pymysql.connections import Connection

from chalicelib.adapters.mysql.candidates import CandidateList
from chalicelib.adapters.mysql.conditions import Statement
from chalicelib.adapters.mysql.connections import query_timeouts
from chalicelib.adapters.mysql.plan import DayRange, SearchPlan
from chalicelib.adapters.mysql.statements import (
    Access,
    Candidates,
    OrderedScan,
    keys_statement,
    limit_time,
    page_from_day_statement,
    page_statement,
    skip_statement,
    total_statement,
)
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.ports import SearchPage

Rows = list[tuple[Any, ...]]
Select = Callable[[Statement], Rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchLimits:
    """Limits of what one search may cost.

    Parameters
    ----------
    page_seconds
        Time in which the server must find a page; less than the 29 s after which API Gateway gives up.
    candidates
        Length of the longest candidate list that is used. Among a million studies, a longer one has a hit in
        every 125 studies, so that an ordered scan is as fast (docs/search-performance.md).
    candidates_by_name
        The same where the index with the order covers all conditions, so that an ordered scan costs less.
    conjunction
        The same where a search has several candidate lists: their intersection may be short even if they are long.
    counted
        Number of candidates up to which all hits are counted, which costs half as much as checking them; and
        number of studies in a range of dates up to which an ordered scan is made without reading candidate lists.
    look_ahead
        Length of the look-ahead, in hits; it is used with more candidates, and with an ordered scan.
    far_offset
        Offset from which the studies before the page are skipped by the day, if only the date restricts the search.
    """

    page_seconds: float = 15
    candidates: int = 8000
    candidates_by_name: int = 3000
    conjunction: int = 50_000
    counted: int = 2000
    look_ahead: int = 50
    far_offset: int = 1000


DEFAULT_LIMITS = SearchLimits()


def find_page(connection: "Connection[Any]", plan: SearchPlan, limits: SearchLimits) -> SearchPage:
    """Find one page of keys.

    Raises
    ------
    QueryTimeoutError
        If the server does not find the page within `limits.page_seconds`.
    """
    end = time.monotonic() + limits.page_seconds

    def select(statement: Statement) -> Rows:
        return _select(connection, statement, max(end - time.monotonic(), 0.001))

    if plan.days is not None and plan.days_only:
        return _page_of_days(select, plan, plan.days, limits)
    access = None if plan.names_entity else _access(select, plan, limits)
    if access == Candidates(()):
        return SearchPage([], 0)
    if access is None or (isinstance(access, Candidates) and len(access.study_keys) <= limits.counted):
        rows = select(page_statement(plan, access))
        return _page(plan, rows, int(rows[0][-1]) if rows else 0)
    rows = select(page_statement(plan, access, look_ahead=limits.look_ahead))
    read_to_the_end = len(rows) <= plan.limit + limits.look_ahead
    return _page(plan, rows, plan.offset + len(rows), all_counted=read_to_the_end)


def _page(plan: SearchPlan, rows: Rows, total: int, *, all_counted: bool = True) -> SearchPage:
    keys = [ResourceUids(*row[:-1]) for row in rows[: plan.limit]]
    # A study may have been published between two statements.
    remaining = max(total - plan.offset, len(rows)) - len(keys)
    return SearchPage(keys, remaining, all_counted)


def _page_of_days(select: Select, plan: SearchPlan, days: DayRange, limits: SearchLimits) -> SearchPage:
    """Find a page of a search that only the date restricts; the numbers of its days give the number of hits."""
    if plan.offset < limits.far_offset:
        rows = select(page_statement(plan, OrderedScan(), look_ahead=0))
    else:
        found = select(skip_statement(days, plan.offset))
        if not found:
            return SearchPage([], 0)
        [(day, later)] = found
        rows = select(page_from_day_statement(plan, DayRange(days.first, int(day)), plan.offset - int(later)))
    if len(rows) <= plan.limit:
        return _page(plan, rows, plan.offset + len(rows))
    [(total,)] = select(total_statement(days))
    return _page(plan, rows, int(total))


def _access(select: Select, plan: SearchPlan, limits: SearchLimits) -> Access:
    if plan.days is not None and select(total_statement(plan.days))[0][0] <= limits.counted:
        return OrderedScan()
    lists = plan.candidate_lists
    at_most = limits.candidates_by_name if plan.order_covers_conditions else limits.candidates
    for number, parts in enumerate(lists, 1):
        # When the last of several lists is read, all others are known to be long. It is therefore read with the
        # larger limit of an intersection, so that it need not be read again.
        last_of_several = number == len(lists) > 1
        keys = _keys(select, parts, max(limits.conjunction, at_most) if last_of_several else at_most)
        if keys is not None and len(keys) <= at_most:
            return Candidates(tuple(sorted(keys)))
        if last_of_several:
            # Each list alone is long enough for an ordered scan to find hits soon; their intersection may not be.
            read = [keys, *(_keys(select, others, limits.conjunction) for others in lists[:-1])]
            whole = [those for those in read if those is not None]
            return Candidates(tuple(sorted(set.intersection(*whole)))) if whole else OrderedScan()
    return OrderedScan()


def _keys(select: Select, parts: CandidateList, at_most: int) -> set[int] | None:
    """Read the keys of a candidate list; None if there are more than `at_most`."""
    [(text,)] = select(keys_statement(parts, at_most + 1))
    keys: list[int] = json.loads(text) if text else []
    return None if len(keys) > at_most else set(keys)


def _select(connection: "Connection[Any]", statement: Statement, seconds: float) -> Rows:
    limited = limit_time(statement, seconds, mariadb="MariaDB" in _version(connection))
    with query_timeouts(), connection.cursor() as cursor:
        cursor.execute(limited.sql, limited.params)
        return list(cursor.fetchall())


def _version(connection: "Connection[Any]") -> str:
    version: str = connection.get_server_info()  # type: ignore[no-untyped-call]
    return version
