"""The kinds of matching as conditions in SQL. Pure; a client's text becomes a parameter and nothing else.

Identifiers come from the attribute table only. Strategy: one function a matching kind, each giving a
condition on a column; names, collections (ModalitiesInStudy) and sequences wrap these.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time

from chalicelib.adapters.mysql.schema import (
    ITEM_TABLE,
    LEVEL_TABLE,
    MODALITIES_OF_STUDY_INDEX,
    WORDS_OF_STUDY_INDEX,
    SqlValue,
    columns_of,
    tag_number,
)
from chalicelib.dicomweb.attributes import BY_KEYWORD, Attribute, Matching
from chalicelib.dicomweb.qido.matches import (
    AllValuesMatch,
    DateRangeMatch,
    DateTimeRangeMatch,
    EmptyValueMatch,
    FuzzyNameMatch,
    Match,
    PersonNameMatch,
    SingleValueMatch,
    TextMatch,
    TimeRangeMatch,
    UidListMatch,
    ValueListMatch,
    Wildcard,
    WildcardMatch,
)
from chalicelib.dicomweb.qido.query import Condition

# The escape of LIKE. Not the backslash: whether that is one depends on the server's sql_mode.
_ESCAPE = "|"
_LIKE_ESCAPES = str.maketrans({character: _ESCAPE + character for character in "%_" + _ESCAPE})
_LIKE_WILDCARDS = {Wildcard.ANY_RUN: "%", Wildcard.ANY_ONE: "_"}


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with one ``%s`` for each of `params`."""

    sql: str
    params: tuple[SqlValue, ...] = ()


def like_pattern(pattern: Iterable[str | Wildcard]) -> str:
    """The pattern of LIKE that matches the same, with every literal character literal."""
    return "".join(
        _LIKE_WILDCARDS[piece] if isinstance(piece, Wildcard) else piece.translate(_LIKE_ESCAPES) for piece in pattern
    )


def where_clause(conditions: Iterable[Condition]) -> Statement:
    """Join conditions to a WHERE clause with a leading blank; empty without conditions."""
    clauses: list[Statement] = []
    in_items: dict[str, list[Condition]] = {}
    for condition in conditions:
        if condition.attribute.sequence is not None:
            in_items.setdefault(condition.attribute.sequence, []).append(condition)
        else:
            clauses.append(_clause(condition.attribute, condition.match))
    clauses += [_item_clause(sequence, of_items) for sequence, of_items in in_items.items()]
    if not clauses:
        return Statement("")
    where = joined(" AND ", clauses)
    return Statement(f" WHERE {where.sql}", where.params)


def _clause(attribute: Attribute, match: Match) -> Statement:
    """Condition on an attribute at top level of the data set, in the table of its level."""
    if attribute.any_of is not None:
        return _collection_clause(BY_KEYWORD[attribute.any_of], match)
    if attribute.matching is Matching.SEQUENCE:
        return Statement(f"NOT EXISTS ({_items(attribute.tag)})")
    column = f"{LEVEL_TABLE[attribute.level]}.{attribute.column}"
    match match:
        case DateTimeRangeMatch():
            time_attribute = BY_KEYWORD[attribute.time_keyword or ""]
            return _moment_clause(column, f"{LEVEL_TABLE[attribute.level]}.{time_attribute.column}", match)
        case PersonNameMatch():
            return _name_clause(attribute, match)
        case FuzzyNameMatch():
            return _fuzzy_clause(attribute, match)
        case EmptyValueMatch() if attribute.matching is Matching.NAME:
            return joined(" AND ", [column_clause(name, match) for name in _name_columns(attribute)])
        case _:
            return column_clause(column, match)


def _item_clause(sequence: str, conditions: list[Condition]) -> Statement:
    """The conditions of attributes in the items of one sequence: one item meets them all (PS3.4 §C.2.2.2.6)."""
    inner = joined(
        " AND ",
        [
            column_clause(f"{ITEM_TABLE[sequence]}.{condition.attribute.column}", condition.match)
            for condition in conditions
        ],
    )
    found = Statement(f"EXISTS ({_items(sequence)} AND {inner.sql})", inner.params)
    if not all(isinstance(condition.match, EmptyValueMatch) for condition in conditions):
        return found
    # An attribute is absent as well where there is no item that could hold it.
    return joined(" OR ", [found, Statement(f"NOT EXISTS ({_items(sequence)})")], enclosed=True)


def _items(sequence: str) -> str:
    table = ITEM_TABLE[sequence]
    return f"SELECT 1 FROM {table} WHERE {table}.series_key = series.id"  # noqa: S608 - constants only


def _collection_clause(member: Attribute, match: Match) -> Statement:
    """A condition on the values that an attribute of the deeper level has anywhere in a study."""
    column = f"member.{member.column}"
    # The index that has both columns: MySQL may take the one with the UID instead, and read each row.
    source = (
        f"FROM {LEVEL_TABLE[member.level]} AS member FORCE INDEX ({MODALITIES_OF_STUDY_INDEX}) "
        "WHERE member.study_key = studies.id AND "
    )
    match match:
        case EmptyValueMatch():
            return Statement(f"NOT EXISTS (SELECT 1 {source}{column} IS NOT NULL)")
        case AllValuesMatch(values):
            return joined(" AND ", [Statement(_counted(f"{source}{column} = %s"), (value,)) for value in values])
        case _:
            inner = column_clause(column, match)
            return Statement(_counted(f"{source}{inner.sql}"), inner.params)


def _name_clause(attribute: Attribute, match: PersonNameMatch) -> Statement:
    columns = _name_columns(attribute)
    if match.any_group is not None:
        return joined(" OR ", [column_clause(name, match.any_group) for name in columns], enclosed=True)
    wanted: list[tuple[str, TextMatch]] = [
        (name, group) for name, group in zip(columns, match.groups, strict=True) if group is not None
    ]
    return joined(" AND ", [column_clause(name, group) for name, group in wanted])


def _name_columns(attribute: Attribute) -> list[str]:
    return [f"{LEVEL_TABLE[attribute.level]}.{column}" for column in columns_of(attribute)]


def _fuzzy_clause(attribute: Attribute, match: FuzzyNameMatch) -> Statement:
    table, tag = LEVEL_TABLE[attribute.level], tag_number(attribute)
    checked = _counted(
        f"FROM person_name_words FORCE INDEX ({WORDS_OF_STUDY_INDEX}) WHERE study_key = {table}.id "
        f"AND tag = %s AND word LIKE %s ESCAPE '{_ESCAPE}'"
    )
    words = joined(" AND ", [Statement(checked, (tag, like_pattern((word, Wildcard.ANY_RUN)))) for word in match.words])
    if match.literal is None:
        return words
    return joined(" OR ", [_name_clause(attribute, match.literal), words], enclosed=True)


def _counted(source: str) -> str:
    """Whether a subquery finds anything in the study that is tried.

    A server makes a join of EXISTS or IN: it then reads the whole of the inner table's matches first, or
    plans the joins of many conditions in exponential time (16 took 9 s). It makes none of a count.
    """
    return f"0 < (SELECT COUNT(*) {source})"


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
    return joined(" AND ", clauses)


def column_clause(column: str, match: Match) -> Statement:
    """One kind of matching on one column."""
    match match:
        case EmptyValueMatch():
            return Statement(f"{column} IS NULL")
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


def joined(separator: str, statements: Iterable[Statement], *, enclosed: bool = False) -> Statement:
    """Conditions in a row, in parentheses where they are a part of a larger one."""
    parts = list(statements)
    sql = separator.join(part.sql for part in parts)
    return Statement(f"({sql})" if enclosed else sql, tuple(param for part in parts for param in part.params))
