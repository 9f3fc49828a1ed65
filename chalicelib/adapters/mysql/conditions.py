"""The kinds of matching as conditions in SQL. Pure; a client's text becomes a parameter, and is never part of the SQL.

Identifiers come from the attribute table and from `schema` only. Strategy: `column_clause` writes the
condition of every kind of matching on one column. Names, collections (ModalitiesInStudy) and sequences combine these.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time

from chalicelib.adapters.mysql.schema import (
    ITEM_TABLE,
    LEVEL_TABLE,
    MODALITIES_OF_STUDY_INDEX,
    NAME_LENGTH,
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

# Escape character of LIKE. Not the backslash, whose meaning depends on the sql_mode of the server.
_ESCAPE = "|"
_LIKE_ESCAPES = str.maketrans({character: _ESCAPE + character for character in "%_" + _ESCAPE})
_LIKE_WILDCARDS = {Wildcard.ANY_RUN: "%", Wildcard.ANY_ONE: "_"}


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with one ``%s`` for each value of `params`."""

    sql: str
    params: tuple[SqlValue, ...] = ()


def like_pattern(pattern: Iterable[str | Wildcard]) -> str:
    """Return the pattern of LIKE that matches the same texts; characters of the text are escaped."""
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
    """Condition that one item of a sequence meets all conditions on attributes in it (PS3.4 §C.2.2.2.6)."""
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
    # The attributes are also without a value if the sequence has no item.
    return joined(" OR ", [found, Statement(f"NOT EXISTS ({_items(sequence)})")], enclosed=True)


def _items(sequence: str) -> str:
    table = ITEM_TABLE[sequence]
    return f"SELECT 1 FROM {table} WHERE {table}.series_key = series.id"  # noqa: S608 - constants only


def _collection_clause(member: Attribute, match: Match) -> Statement:
    """Condition on the values that an attribute of a deeper level has anywhere in the study."""
    column = f"member.{member.column}"
    # This index has both columns. MySQL may otherwise take the index with the UID, and read each row.
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
    source = f"FROM person_name_words FORCE INDEX ({WORDS_OF_STUDY_INDEX}) WHERE study_key = {table}.id AND tag = %s"
    beginnings = [column_clause("word", WildcardMatch((word, Wildcard.ANY_RUN))) for word in match.words]
    words = joined(
        " AND ",
        [Statement(_counted(f"{source} AND {begins.sql}"), (tag, *begins.params)) for begins in beginnings],
    )
    if match.literal is None:
        return words
    return joined(" OR ", [_name_clause(attribute, match.literal), words], enclosed=True)


def _counted(source: str) -> str:
    """Condition that a subquery finds a row for the study that is checked.

    Servers turn EXISTS and IN into joins. They may then read all matching rows of the inner table first, or need
    exponential time to plan the joins of many conditions (16 took 9 s). A count is not turned into a join.
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
    """Condition of one kind of matching on one column.

    Raises
    ------
    TypeError
        If the match needs more than one column.
    """
    match match:
        case EmptyValueMatch():
            return Statement(f"{column} IS NULL")
        case SingleValueMatch(value):
            return Statement(f"{column} = %s", (value,))
        case UidListMatch(values) | ValueListMatch(values):
            return Statement(f"{column} IN ({', '.join(['%s'] * len(values))})", values)
        case WildcardMatch((str(beginning), *_) as pattern):
            return _beginning_clause(column, beginning, pattern)
        case WildcardMatch(pattern):
            return like_clause(column, pattern)
        case DateRangeMatch(first, last) | TimeRangeMatch(first, last):
            return _range_clause(column, first, last)
        case _:
            raise TypeError(f"{type(match).__name__} is not a match on one column")


def like_clause(column: str, pattern: Iterable[str | Wildcard]) -> Statement:
    """Condition that a value has a pattern, by LIKE alone.

    Not for a text column and a pattern with a beginning, see `_beginning_clause`.
    """
    return Statement(f"{column} LIKE %s ESCAPE '{_ESCAPE}'", (like_pattern(pattern),))


def _beginning_clause(column: str, beginning: str, pattern: Iterable[str | Wildcard]) -> Statement:
    """Condition that a value of a text column has a pattern that begins with a text.

    For ``LIKE 'x%'`` both servers read the range of an index from "x" with blanks to "x" with U+FFFF. It leaves out
    values whose next character is a control character or lies above U+FFFF (an emoji, 𠮷). The range is therefore
    given here. LIKE gets an expression, which no index serves, so the servers derive no range from it.
    """
    # Longer than any column: with blanks behind it, as the collations compare, no value is outside.
    filled = max(NAME_LENGTH - len(beginning), 1)
    lowest, highest = beginning + "\0" * filled, beginning + "\U0010ffff" * filled
    like = like_clause(f"CONCAT({column}, '')", pattern)
    return Statement(f"({column} BETWEEN %s AND %s AND {like.sql})", (lowest, highest, *like.params))


def _range_clause(column: str, first: SqlValue, last: SqlValue) -> Statement:
    if first is None:
        return Statement(f"{column} <= %s", (last,))
    if last is None:
        return Statement(f"{column} >= %s", (first,))
    if first == last:
        return Statement(f"{column} = %s", (first,))
    return Statement(f"{column} BETWEEN %s AND %s", (first, last))


def joined(separator: str, statements: Iterable[Statement], *, enclosed: bool = False) -> Statement:
    """Join statements by a separator; `enclosed` adds parentheses, for a part of a larger condition."""
    parts = list(statements)
    sql = separator.join(part.sql for part in parts)
    return Statement(f"({sql})" if enclosed else sql, tuple(param for part in parts for param in part.params))
