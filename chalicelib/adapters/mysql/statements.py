"""The statements of a planned search. Pure; a client's text becomes a parameter, and is never part of the SQL.

Identifiers come from the attribute table and from `schema` only; `conditions` makes the conditions. See `plan` for
the terms *candidate list*, *ordered scan* and *look-ahead*.
"""

import json
from dataclasses import dataclass
from datetime import date

from chalicelib.adapters.mysql.candidates import CandidateList
from chalicelib.adapters.mysql.conditions import Statement, joined
from chalicelib.adapters.mysql.plan import DayRange, SearchPlan
from chalicelib.adapters.mysql.schema import LEVEL_TABLE, NO_DAY, ORDER_INDEX
from chalicelib.dicomweb.attributes import Level

_JOIN_ABOVE = {
    Level.SERIES: "JOIN studies ON studies.id = series.study_key",
    Level.INSTANCE: "JOIN series ON series.id = instances.series_key",
}
_JOIN_BELOW = {
    Level.STUDY: "JOIN studies ON studies.id = candidate.study_key",
    Level.SERIES: "JOIN series ON series.study_key = studies.id",
    Level.INSTANCE: "JOIN instances ON instances.series_key = series.id",
}
_UID_COLUMNS = ("studies.study_instance_uid", "series.series_instance_uid", "instances.sop_instance_uid")

# A total order that never changes: UIDs are unique within their parent, whose id stays the same.
# Studies without a date come last: both servers sort NULL as the lowest value.
_ORDER = {
    Level.STUDY: "studies.study_date DESC, studies.study_time DESC, studies.study_instance_uid DESC",
    Level.SERIES: "series.series_instance_uid, series.study_key",
    Level.INSTANCE: "instances.sop_instance_uid, instances.series_key",
}


@dataclass(frozen=True, slots=True)
class OrderedScan:
    """Find the hits by an ordered scan."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Find the hits among the studies of a candidate list, which are checked and then sorted."""

    study_keys: tuple[int, ...]


Access = OrderedScan | Candidates | None
"""How a search finds its hits; None leaves the choice to the server."""


def page_statement(plan: SearchPlan, access: Access = None, *, look_ahead: int | None = None) -> Statement:
    """Select the UIDs of the hits of the page, one row for each hit, and of one hit more.

    The last column is the number of all hits. With `look_ahead` it is NULL instead, and up to this number of
    further hits is selected.
    """
    source = _from(plan, access)
    # The modifier makes the server join the tables in the order in which they are written.
    select = "SELECT" if access is None else "SELECT STRAIGHT_JOIN"
    total = "COUNT(*) OVER ()" if look_ahead is None else "NULL"
    columns = ", ".join(_UID_COLUMNS[: plan.level + 1])
    return Statement(
        f"{select} {columns}, {total} {source.sql}{plan.where.sql} ORDER BY {_ORDER[plan.level]} LIMIT %s OFFSET %s",
        (*source.params, *plan.where.params, plan.limit + 1 + (look_ahead or 0), plan.offset),
    )


def keys_statement(parts: CandidateList, at_most: int) -> Statement:
    """Read a candidate list as one JSON array, with at most `at_most` keys from each of its parts."""
    # Without parentheses, the limit would apply to the last part only.
    limited = [Statement(f"{part.sql} LIMIT %s", (*part.params, at_most)) for part in parts]
    if len(limited) > 1:
        limited = [Statement(f"({part.sql})", part.params) for part in limited]
    union = joined(" UNION ALL ", limited)
    return Statement(f"SELECT JSON_ARRAYAGG(study_key) FROM ({union.sql}) AS parts", union.params)  # noqa: S608


def _from(plan: SearchPlan, access: Access) -> Statement:
    if isinstance(access, Candidates):
        joins = " ".join(_JOIN_BELOW[level] for level in Level if level <= plan.level)
        return Statement(
            f"FROM JSON_TABLE(%s, '$[*]' COLUMNS (study_key BIGINT PATH '$')) AS candidate {joins}",
            (json.dumps(access.study_keys),),
        )
    # A level that is joined for its UID only is joined from the left: the row always exists, and the server must
    # begin with the table whose index has the order, instead of sorting everything.
    topmost = min((condition.attribute.level for condition in plan.conditions), default=plan.level)
    joins_above = [
        ("" if topmost < below else "LEFT ") + _JOIN_ABOVE[below]
        for below in reversed(Level)
        if 0 < below <= plan.level
    ]
    index = f" FORCE INDEX ({ORDER_INDEX[plan.level]})" if isinstance(access, OrderedScan) else ""
    return Statement(" ".join([f"FROM {LEVEL_TABLE[plan.level]}{index}", *joins_above]))


# --- searches that only the date restricts: hits are counted, and skipped, by the day ---------------


def total_statement(days: DayRange) -> Statement:
    """Count the studies of a range of days."""
    return Statement("SELECT COALESCE(SUM(studies), 0) FROM study_days WHERE day BETWEEN %s AND %s", days)


def skip_statement(days: DayRange, offset: int) -> Statement:
    """Find the day of the first study after `offset` studies, and the number of studies on later days."""
    return Statement(
        "SELECT day, later FROM (SELECT day, SUM(studies) OVER (ORDER BY day DESC) - studies AS later "
        "FROM study_days WHERE day BETWEEN %s AND %s) AS days WHERE later <= %s ORDER BY day LIMIT 1",
        (*days, offset),
    )


def page_from_day_statement(plan: SearchPlan, days: DayRange, offset: int) -> Statement:
    """Select a page as `page_statement` does, from the studies of these days and without the first `offset`."""
    if days.last == NO_DAY:
        where = Statement("studies.study_date IS NULL")
    else:
        where = Statement("studies.study_date <= %s", (date.fromordinal(days.last),))
        if days.first == NO_DAY:
            where = Statement(f"({where.sql} OR studies.study_date IS NULL)", where.params)
        else:
            first = date.fromordinal(days.first)
            where = Statement(f"{where.sql} AND studies.study_date >= %s", (*where.params, first))
    return Statement(
        f"SELECT {_UID_COLUMNS[0]}, NULL FROM studies FORCE INDEX ({ORDER_INDEX[Level.STUDY]}) "  # noqa: S608
        f"WHERE {where.sql} ORDER BY {_ORDER[Level.STUDY]} LIMIT %s OFFSET %s",
        (*where.params, plan.limit + 1, offset),
    )


# --- limit of time ----------------------------------------------------------------------------------


def limit_time(statement: Statement, seconds: float, *, mariadb: bool) -> Statement:
    """Give a SELECT a limit of time, after which the server ends it with an error.

    MySQL and MariaDB have no common syntax: MySQL takes a hint, MariaDB a statement around it.
    """
    if mariadb:
        return Statement(f"SET STATEMENT max_statement_time = {seconds:.3f} FOR {statement.sql}", statement.params)
    milliseconds = max(1, round(seconds * 1000))
    hinted = statement.sql.replace("SELECT ", f"SELECT /*+ MAX_EXECUTION_TIME({milliseconds}) */ ", 1)
    return Statement(hinted, statement.params)
