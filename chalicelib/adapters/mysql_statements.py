"""Searches as SQL: QidoQuery → Statement. Pure; a client's text becomes a parameter and nothing else.

Identifiers come from the attribute table only. Strategy: one function a matching kind, each giving a
condition on a column; names, collections (ModalitiesInStudy) and sequences wrap these.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time

from chalicelib.dicomweb.attributes import (
    BY_KEYWORD,
    SERIES_INSTANCE_UID,
    STUDY_INSTANCE_UID,
    Attribute,
    Level,
    Matching,
)
from chalicelib.dicomweb.matching import (
    DateRangeMatch,
    DateTimeRangeMatch,
    Match,
    PersonNameMatch,
    SingleValueMatch,
    TextMatch,
    TimeRangeMatch,
    UidListMatch,
    UniversalMatch,
    ValueListMatch,
    Wildcard,
    WildcardMatch,
)
from chalicelib.dicomweb.qido_query import Condition, QidoQuery

SqlValue = str | int | date | time | None

NAME_COLUMN_SUFFIXES = ("", "_ideographic", "_phonetic")

_TABLE = {Level.STUDY: "studies", Level.SERIES: "series", Level.INSTANCE: "instances"}
_SEQUENCE_TABLE = {"00400275": "request_attributes"}  # its series_key names the series
_JOIN_ABOVE = {
    Level.SERIES: "JOIN studies ON studies.id = series.study_key",
    Level.INSTANCE: "JOIN series ON series.id = instances.series_key",
}
_UID_COLUMNS = ("studies.study_instance_uid", "series.series_instance_uid", "instances.sop_instance_uid")

# Total, and the same at every time: UIDs are unique in their level's parent, whose id never changes.
# Studies without a date come last: NULL is the lowest value in both servers.
_ORDER = {
    Level.STUDY: "studies.study_date DESC, studies.study_time DESC, studies.study_instance_uid DESC",
    Level.SERIES: "series.series_instance_uid, series.study_key",
    Level.INSTANCE: "instances.sop_instance_uid, instances.series_key",
}

# The escape of LIKE. Not the backslash: whether that is one depends on the server's sql_mode.
_ESCAPE = "|"
_LIKE_ESCAPES = str.maketrans({character: _ESCAPE + character for character in "%_" + _ESCAPE})
_LIKE_WILDCARDS = {Wildcard.ANY_RUN: "%", Wildcard.ANY_ONE: "_"}


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with one ``%s`` for each of `params`."""

    sql: str
    params: tuple[SqlValue, ...] = ()


def page_statement(query: QidoQuery) -> Statement:
    """Select the UIDs of the page's hits, one row a hit, and of one more if there is one."""
    where = _where(query)
    columns = ", ".join(_UID_COLUMNS[: query.level + 1])
    return Statement(
        f"SELECT {columns} {_from(query, Level.STUDY)}{where.sql} ORDER BY {_ORDER[query.level]} LIMIT %s OFFSET %s",
        (*where.params, query.limit + 1, query.offset),
    )


def count_statement(query: QidoQuery) -> Statement:
    """Count all hits; joins only the levels that a condition is about."""
    where = _where(query)
    return Statement(
        f"SELECT COUNT(*) {_from(query, _upmost(query))}{where.sql}",
        where.params,
    )


def like_pattern(pattern: Iterable[str | Wildcard]) -> str:
    """The pattern of LIKE that matches the same, with every literal character literal."""
    return "".join(
        _LIKE_WILDCARDS[piece] if isinstance(piece, Wildcard) else piece.translate(_LIKE_ESCAPES) for piece in pattern
    )


def _upmost(query: QidoQuery) -> Level:
    """The highest level that a condition is about."""
    return min((condition.attribute.level for condition in _conditions(query)), default=query.level)


def _from(query: QidoQuery, upto: Level) -> str:
    # A level that is joined for its UID only is joined from the left: the row is always there, and the
    # server must begin with the table whose index has the order, instead of sorting everything.
    upmost = _upmost(query)
    joins = [
        ("" if upmost < below else "LEFT ") + _JOIN_ABOVE[below]
        for below in reversed(Level)
        if upto < below <= query.level
    ]
    return " ".join([f"FROM {_TABLE[query.level]}", *joins])


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
            clauses.append(_clause(condition.attribute, condition.match))
    clauses += [_item_clause(sequence, conditions) for sequence, conditions in in_items.items()]
    if not clauses:
        return Statement("")
    joined = _joined(" AND ", clauses)
    return Statement(f" WHERE {joined.sql}", joined.params)


def _clause(attribute: Attribute, match: Match) -> Statement:
    if attribute.any_of is not None:
        member = BY_KEYWORD[attribute.any_of]
        inner = _column_clause(f"member.{member.column}", match)
        return Statement(
            f"EXISTS (SELECT 1 FROM {_TABLE[member.level]} AS member "  # noqa: S608 - constants only
            f"WHERE member.study_key = studies.id AND {inner.sql})",
            inner.params,
        )
    column = f"{_TABLE[attribute.level]}.{attribute.column}"
    if isinstance(match, DateTimeRangeMatch):
        time_attribute = BY_KEYWORD[attribute.time_keyword or ""]
        return _moment_clause(column, f"{_TABLE[attribute.level]}.{time_attribute.column}", match)
    if attribute.matching is Matching.NAME and isinstance(match, PersonNameMatch):
        return _name_clause(column, match)
    return _column_clause(column, match)


def _item_clause(sequence: str, conditions: list[Condition]) -> Statement:
    # PS3.4 §C.2.2.2.6: a sequence matches where one item matches all its keys.
    table = _SEQUENCE_TABLE[sequence]
    inner = _joined(
        " AND ",
        [_column_clause(f"{table}.{condition.attribute.column}", condition.match) for condition in conditions],
    )
    return Statement(
        f"EXISTS (SELECT 1 FROM {table} WHERE {table}.series_key = series.id "  # noqa: S608 - constants only
        f"AND {inner.sql})",
        inner.params,
    )


def _name_clause(column: str, match: PersonNameMatch) -> Statement:
    columns = [column + suffix for suffix in NAME_COLUMN_SUFFIXES]
    if match.any_group is not None:
        alternatives = _joined(" OR ", [_column_clause(name, match.any_group) for name in columns])
        return Statement(f"({alternatives.sql})", alternatives.params)
    wanted: list[tuple[str, TextMatch]] = [
        (name, group) for name, group in zip(columns, match.groups, strict=True) if group is not None
    ]
    return _joined(" AND ", [_column_clause(name, group) for name, group in wanted])


def _moment_clause(date_column: str, time_column: str, match: DateTimeRangeMatch) -> Statement:
    clauses = []
    if match.first is not None:
        day = match.first.date()
        clauses.append(Statement(f"{date_column} >= %s", (day,)))
        if match.first.time() != time.min:
            clauses.append(Statement(f"({date_column} > %s OR {time_column} >= %s)", (day, match.first.time())))
    if match.last is not None:
        day = match.last.date()
        clauses.append(Statement(f"{date_column} <= %s", (day,)))
        if match.last.time() != time.max:
            clauses.append(Statement(f"({date_column} < %s OR {time_column} <= %s)", (day, match.last.time())))
    return _joined(" AND ", clauses)


def _column_clause(column: str, match: Match) -> Statement:
    match match:
        case SingleValueMatch(value):
            return Statement(f"{column} = %s", (value,))
        case UidListMatch(values) | ValueListMatch(values):
            return Statement(f"{column} IN ({', '.join(['%s'] * len(values))})", values)
        case WildcardMatch(pattern):
            return Statement(f"{column} LIKE %s ESCAPE '{_ESCAPE}'", (like_pattern(pattern),))
        case DateRangeMatch(first, last) | TimeRangeMatch(first, last):
            return _range_clause(column, first, last)
        case _:
            raise TypeError(f"{type(match).__name__} is not a match of one column")


def _range_clause(column: str, first: SqlValue, last: SqlValue) -> Statement:
    if first is None:
        return Statement(f"{column} <= %s", (last,))
    if last is None:
        return Statement(f"{column} >= %s", (first,))
    if first == last:
        return Statement(f"{column} = %s", (first,))
    return Statement(f"{column} BETWEEN %s AND %s", (first, last))


def _joined(separator: str, statements: Iterable[Statement]) -> Statement:
    parts = list(statements)
    return Statement(
        separator.join(part.sql for part in parts),
        tuple(param for part in parts for param in part.params),
    )
