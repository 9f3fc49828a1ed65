"""One search on a connection: which way to the hits is short, then the page and how many follow it.

Strategy: whoever lets the server choose between walking the hits' order and sorting what matches gets the
wrong way for some value of every key (a rare modality, a PatientID that all anonymised studies have). So
the lists of `candidates` are read, no more of each than is quick, until one is short: then its studies
are tried. Where all are long, hits are frequent, and the order is walked.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pymysql.connections import Connection

from chalicelib.adapters.mysql.candidates import candidate_lists, names_entity
from chalicelib.adapters.mysql.conditions import Statement
from chalicelib.adapters.mysql.connections import query_timeouts
from chalicelib.adapters.mysql.statements import (
    Access,
    Among,
    InOrder,
    day_range,
    days_allowed,
    keys_statement,
    limit_time,
    order_has_all,
    page_from_day_statement,
    page_statement,
    skip_statement,
    total_statement,
)
from chalicelib.dicomweb.qido.query import QidoQuery
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.ports import SearchPage

Rows = list[tuple[Any, ...]]
Select = Callable[[Statement], Rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchLimits:
    """What one search may cost.

    Parameters
    ----------
    page_seconds
        How long the server may work at a page; less than the 29 s after which API Gateway gives up.
    candidates
        The longest list of studies that is tried in full. Among a million studies a longer one has a hit in
        every 125, so that walking the order finds a page as soon (docs/search-performance.md).
    candidates_by_name
        The same where the index with the order holds all that is asked for, so that walking costs less.
    conjunction
        The same where several lists hold all hits: what they have in common may be few, however long they are.
    counted
        The longest list of studies among which all hits are counted, which costs half as much as to try them;
        and how many studies of a range of dates are walked without looking for a list.
    looked_ahead
        How many hits after the page are counted in a longer one, and where the order is walked.
    far_offset
        From where on an offset into a list is skipped to, not walked to.
    """

    page_seconds: float = 15
    candidates: int = 8000
    candidates_by_name: int = 3000
    conjunction: int = 50_000
    counted: int = 2000
    looked_ahead: int = 50
    far_offset: int = 1000


DEFAULT_LIMITS = SearchLimits()


def find_page(connection: "Connection[Any]", query: QidoQuery, limits: SearchLimits) -> SearchPage:
    """Find one page of keys.

    Raises
    ------
    QueryTimeoutError
        If it is not found in time.
    """
    end = time.monotonic() + limits.page_seconds

    def select(statement: Statement) -> Rows:
        return _select(connection, statement, max(end - time.monotonic(), 0.001))

    days = day_range(query)
    if days is not None:
        return _list_page(select, query, days, limits)
    access = None if names_entity(query) else _access(select, query, limits)
    if access == Among(()):
        return SearchPage([], 0)
    if access is None or (isinstance(access, Among) and len(access.study_keys) <= limits.counted):
        rows = select(page_statement(query, access))
        return _page(query, rows, int(rows[0][-1]) if rows else 0)
    rows = select(page_statement(query, access, looked_ahead=limits.looked_ahead))
    read_to_the_end = len(rows) <= query.limit + limits.looked_ahead
    return _page(query, rows, query.offset + len(rows), all_counted=read_to_the_end)


def _page(query: QidoQuery, rows: Rows, total: int, *, all_counted: bool = True) -> SearchPage:
    keys = [ResourceUids(*row[:-1]) for row in rows[: query.limit]]
    # A study may have been published between two statements.
    remaining = max(total - query.offset, len(rows)) - len(keys)
    return SearchPage(keys, remaining, all_counted)


def _list_page(select: Select, query: QidoQuery, days: tuple[int, int], limits: SearchLimits) -> SearchPage:
    """Find a page of a list that only the date restricts: its days say how long it is."""
    if query.offset < limits.far_offset:
        rows = select(page_statement(query, InOrder(), looked_ahead=0))
    else:
        found = select(skip_statement(days, query.offset))
        if not found:
            return SearchPage([], 0)
        [(day, later)] = found
        rows = select(page_from_day_statement(query, (days[0], int(day)), query.offset - int(later)))
    if len(rows) <= query.limit:
        return _page(query, rows, query.offset + len(rows))
    [(total,)] = select(total_statement(days))
    return _page(query, rows, int(total))


def _access(select: Select, query: QidoQuery, limits: SearchLimits) -> Access:
    days = days_allowed(query)
    if days is not None and select(total_statement(days))[0][0] <= limits.counted:
        return InOrder()
    lists = candidate_lists(query)
    at_most = limits.candidates_by_name if order_has_all(query) else limits.candidates
    for number, parts in enumerate(lists, 1):
        # When the last of several is read, all others are known to be long: it is read but once.
        last_of_several = number == len(lists) > 1
        keys = _keys(select, parts, max(limits.conjunction, at_most) if last_of_several else at_most)
        if keys is not None and len(keys) <= at_most:
            return Among(tuple(sorted(keys)))
        if last_of_several:
            # Each list alone would have a hit soon on the walk; all together may not.
            found = [keys, *(_keys(select, others, limits.conjunction) for others in lists[:-1])]
            whole = [those for those in found if those is not None]
            return Among(tuple(sorted(set.intersection(*whole)))) if whole else InOrder()
    return InOrder()


def _keys(select: Select, parts: Sequence[Statement], at_most: int) -> set[int] | None:
    """The keys of a list; None where it is longer."""
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
