"""Searches as SQL: QidoQuery → Statement. Pure; a client's text becomes a parameter and nothing else.

Identifiers come from the attribute table only; conditions are made in `conditions`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from chalicelib.adapters.mysql.conditions import Statement, clause, item_clause, joined
from chalicelib.adapters.mysql.schema import LEVEL_TABLE, NO_DAY, ORDER_INDEX, ORDER_INDEXED
from chalicelib.dicomweb.attributes import SERIES_INSTANCE_UID, STUDY_INSTANCE_UID, Level
from chalicelib.dicomweb.qido.matches import DateRangeMatch, DateTimeRangeMatch, UidListMatch, UniversalMatch
from chalicelib.dicomweb.qido.query import Condition, QidoQuery

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

# Total, and the same at every time: UIDs are unique in their level's parent, whose id never changes.
# Studies without a date come last: NULL is the lowest value in both servers.
_ORDER = {
    Level.STUDY: "studies.study_date DESC, studies.study_time DESC, studies.study_instance_uid DESC",
    Level.SERIES: "series.series_instance_uid, series.study_key",
    Level.INSTANCE: "instances.sop_instance_uid, instances.series_key",
}


@dataclass(frozen=True, slots=True)
class InOrder:
    """Walk the hits' order, and try every row."""


@dataclass(frozen=True, slots=True)
class Among:
    """Try the studies with these keys, and sort those that match."""

    study_keys: tuple[int, ...]


Access = InOrder | Among | None
"""How a search finds its hits; None leaves it to the server."""


def page_statement(query: QidoQuery, access: Access = None, *, looked_ahead: int | None = None) -> Statement:
    """Select the UIDs of the page's hits, one row a hit, and of the next one.

    The last column is how many hits there are altogether; or, with `looked_ahead`, it is NULL, and so many
    more hits are selected.
    """
    where = _where(query)
    source = _from(query, access)
    # With the modifier, tables are joined in the order in which they stand.
    select = "SELECT" if access is None else "SELECT STRAIGHT_JOIN"
    total = "COUNT(*) OVER ()" if looked_ahead is None else "NULL"
    columns = ", ".join(_UID_COLUMNS[: query.level + 1])
    return Statement(
        f"{select} {columns}, {total} {source.sql}{where.sql} ORDER BY {_ORDER[query.level]} LIMIT %s OFFSET %s",
        (*source.params, *where.params, query.limit + 1 + (looked_ahead or 0), query.offset),
    )


def keys_statement(parts: Sequence[Statement], at_most: int) -> Statement:
    """Read keys of studies, from each part of a list no more than so many, as one JSON array."""
    # In parentheses, or the limit would hold for the last part only.
    limited = [Statement(f"{part.sql} LIMIT %s", (*part.params, at_most)) for part in parts]
    if len(limited) > 1:
        limited = [Statement(f"({part.sql})", part.params) for part in limited]
    union = joined(" UNION ALL ", limited)
    return Statement(f"SELECT JSON_ARRAYAGG(study_key) FROM ({union.sql}) AS parts", union.params)  # noqa: S608


# --- lists that only the date restricts: they are counted, and skipped, by the day ----------------


def day_range(query: QidoQuery) -> tuple[int, int] | None:
    """First and last day (see table ``study_days``) of the studies that are the hits; None for other searches."""
    conditions = _conditions(query)
    if query.level is not Level.STUDY or len(conditions) > 1:
        return None
    if not conditions:
        return NO_DAY, date.max.toordinal()
    return days_allowed(query) if isinstance(conditions[0].match, DateRangeMatch) else None


def order_has_all(query: QidoQuery) -> bool:
    """Whether the index with the hits' order has all columns of the conditions; ModalitiesInStudy is none."""
    return query.level is Level.STUDY and all(
        condition.attribute.keyword in ORDER_INDEXED for condition in _conditions(query)
    )


def days_allowed(query: QidoQuery) -> tuple[int, int] | None:
    """First and last day of the studies that a search for studies may find, if it has a range of dates."""
    for condition in _conditions(query):
        match = condition.match
        if (
            query.level is Level.STUDY
            and condition.attribute.keyword == "StudyDate"
            and isinstance(match, DateRangeMatch | DateTimeRangeMatch)
        ):
            return (match.first or date.min).toordinal(), (match.last or date.max).toordinal()
    return None


def total_statement(days: tuple[int, int]) -> Statement:
    """Count the studies of a range of days."""
    return Statement("SELECT COALESCE(SUM(studies), 0) FROM study_days WHERE day BETWEEN %s AND %s", days)


def skip_statement(days: tuple[int, int], offset: int) -> Statement:
    """Find the latest day of which a page that begins after `offset` studies may show some, and how many are later."""
    return Statement(
        "SELECT day, later FROM (SELECT day, SUM(studies) OVER (ORDER BY day DESC) - studies AS later "
        "FROM study_days WHERE day BETWEEN %s AND %s) AS days WHERE later <= %s ORDER BY day LIMIT 1",
        (*days, offset),
    )


def page_from_day_statement(query: QidoQuery, days: tuple[int, int], offset: int) -> Statement:
    """Select as `page_statement` does, of the studies of these days, after so many of them."""
    first, last = days
    if last == NO_DAY:
        where = Statement("studies.study_date IS NULL")
    else:
        where = Statement("studies.study_date <= %s", (date.fromordinal(last),))
        if first == NO_DAY:
            where = Statement(f"({where.sql} OR studies.study_date IS NULL)", where.params)
        else:
            where = Statement(f"{where.sql} AND studies.study_date >= %s", (*where.params, date.fromordinal(first)))
    return Statement(
        f"SELECT {_UID_COLUMNS[0]}, NULL FROM studies FORCE INDEX ({ORDER_INDEX[Level.STUDY]}) WHERE {where.sql} "  # noqa: S608
        f"ORDER BY {_ORDER[Level.STUDY]} LIMIT %s OFFSET %s",
        (*where.params, query.limit + 1, offset),
    )


def _from(query: QidoQuery, access: Access) -> Statement:
    if isinstance(access, Among):
        joins = " ".join(_JOIN_BELOW[level] for level in Level if level <= query.level)
        return Statement(
            f"FROM JSON_TABLE(%s, '$[*]' COLUMNS (study_key BIGINT PATH '$')) AS candidate {joins}",
            (json.dumps(access.study_keys),),
        )
    # A level that is joined for its UID only is joined from the left: the row is always there, and the
    # server must begin with the table whose index has the order, instead of sorting everything.
    upmost = min((condition.attribute.level for condition in _conditions(query)), default=query.level)
    joins_above = [
        ("" if upmost < below else "LEFT ") + _JOIN_ABOVE[below]
        for below in reversed(Level)
        if 0 < below <= query.level
    ]
    index = f" FORCE INDEX ({ORDER_INDEX[query.level]})" if isinstance(access, InOrder) else ""
    return Statement(" ".join([f"FROM {LEVEL_TABLE[query.level]}{index}", *joins_above]))


def _conditions(query: QidoQuery) -> list[Condition]:
    """What restricts the search: the path's UIDs and the matching keys, without universal matches."""
    path = (
        (STUDY_INSTANCE_UID, query.study_instance_uid),
        (SERIES_INSTANCE_UID, query.series_instance_uid),
    )
    conditions = [Condition(attribute, UidListMatch((uid,))) for attribute, uid in path if uid is not None]
    return conditions + [condition for condition in query.conditions if not isinstance(condition.match, UniversalMatch)]


def _where(query: QidoQuery) -> Statement:
    clauses: list[Statement] = []
    in_items: dict[str, list[Condition]] = {}
    for condition in _conditions(query):
        if condition.attribute.sequence is not None:
            in_items.setdefault(condition.attribute.sequence, []).append(condition)
        else:
            clauses.append(clause(condition.attribute, condition.match))
    clauses += [item_clause(sequence, conditions) for sequence, conditions in in_items.items()]
    if not clauses:
        return Statement("")
    where = joined(" AND ", clauses)
    return Statement(f" WHERE {where.sql}", where.params)


def limit_time(statement: Statement, seconds: float, *, mariadb: bool) -> Statement:
    """The same SELECT, which the server ends with an error when it has run for so long.

    MySQL and MariaDB know no common way: one takes a hint for what the other has a statement.
    """
    if mariadb:
        return Statement(f"SET STATEMENT max_statement_time = {seconds:.3f} FOR {statement.sql}", statement.params)
    milliseconds = max(1, round(seconds * 1000))
    hinted = statement.sql.replace("SELECT ", f"SELECT /*+ MAX_EXECUTION_TIME({milliseconds}) */ ", 1)
    return Statement(hinted, statement.params)
