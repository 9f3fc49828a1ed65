"""The candidate lists of a search (see `plan`): conditions as SELECTs of study keys that an index serves. Pure.

A text inside a name is looked up word by word. The table `person_name_words` has the words of each name, and
`person_name_endings` has the endings of each different word: ``mit`` is found in ``smith`` because it is the
beginning of the ending ``mith``. A text inside PatientID, AccessionNumber or StudyDescription is looked up in
`text_endings` in the same way, but as a whole instead of word by word.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

from chalicelib.adapters.mysql.conditions import Statement, column_clause, joined, like_clause
from chalicelib.adapters.mysql.schema import ENDING_LENGTH, INDEXED, UNKNOWN_WORD, columns_of, tag_number
from chalicelib.dicomweb.attributes import BY_KEYWORD, Attribute, Level, Matching
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
    ValueListMatch,
    Wildcard,
    WildcardMatch,
)
from chalicelib.dicomweb.qido.person_names import name_words, word_continues
from chalicelib.dicomweb.qido.query import Condition

CandidateList = tuple[Statement, ...]
"""A candidate list in parts, each a SELECT of the one column ``study_key``."""


@dataclass(frozen=True, slots=True)
class _Fragment:
    """Text of a pattern within one word, and whether the word of the name may continue before and after it."""

    text: str
    continues_before: bool
    continues_after: bool


def candidate_lists(level: Level, conditions: Iterable[Condition]) -> tuple[CandidateList, ...]:
    """Create the candidate lists of a search; those that are expected to be shortest or fastest to read come first."""
    ranked = [
        pair
        for condition in conditions
        # The order of studies begins with the date, which therefore restricts the ordered scan already.
        if not (level is Level.STUDY and condition.attribute.keyword == "StudyDate")
        for pair in _lists_of(condition)
    ]
    return tuple(parts for _, parts in sorted(ranked, key=itemgetter(0)))


_EQUAL, _WORD, _BEGINNING, _INSIDE, _MANY, _READ_WHOLE = range(6)
_Ranked = tuple[int, CandidateList]


def _lists_of(condition: Condition) -> Iterator[_Ranked]:
    attribute, match = condition.attribute, condition.match
    if attribute.matching is Matching.NAME:
        yield from _name_lists(attribute, match)
    elif attribute.any_of is not None or attribute.keyword == "Modality":
        yield from _modality_lists(match)
    elif attribute.sequence is not None:
        yield from _item_lists(attribute, match)
    elif attribute.keyword in INDEXED:
        yield from _column_lists(attribute, match)


def _item_lists(attribute: Attribute, match: Match) -> Iterator[_Ranked]:
    looked_up: Match = match
    if isinstance(match, WildcardMatch) and isinstance(match.pattern[0], str):
        looked_up = WildcardMatch((match.pattern[0], Wildcard.ANY_RUN))
    elif not isinstance(match, SingleValueMatch):
        return
    where = column_clause(attribute.column or "", looked_up)
    found = Statement(
        "SELECT study_key FROM request_attributes "  # noqa: S608 - constants only
        f"STRAIGHT_JOIN series ON series.id = request_attributes.series_key WHERE {where.sql}",
        where.params,
    )
    yield (_EQUAL if isinstance(match, SingleValueMatch) else _BEGINNING), (found,)


def _modality_lists(match: Match) -> Iterator[_Ranked]:
    column = BY_KEYWORD["Modality"].column or ""
    matches: Sequence[Match]
    match match:
        case SingleValueMatch() | ValueListMatch():
            matches = [match]
        case AllValuesMatch(values):
            matches = [SingleValueMatch(value) for value in values]
        case _:
            return
    for one in matches:
        where = column_clause(column, one)
        yield _MANY, (Statement(f"SELECT study_key FROM series WHERE {where.sql}", where.params),)  # noqa: S608


def _column_lists(attribute: Attribute, match: Match) -> Iterator[_Ranked]:
    column = attribute.column or ""
    match match:
        case SingleValueMatch():
            yield _EQUAL, (_studies(column_clause(column, match)),)
        case DateRangeMatch() | EmptyValueMatch():
            yield _MANY, (_studies(column_clause(column, match)),)
        case DateTimeRangeMatch(first, last):
            days = DateRangeMatch(first.date() if first else None, last.date() if last else None)
            yield _MANY, (_studies(column_clause(column, days)),)
        case WildcardMatch(pattern):
            yield _pattern_list(attribute, pattern)


def _pattern_list(attribute: Attribute, pattern: tuple[str | Wildcard, ...]) -> _Ranked:
    """Studies whose value matches the pattern, looked up by the longest text in it."""
    found = _studies(column_clause(attribute.column or "", WildcardMatch(pattern)))
    texts = [position for position, piece in enumerate(pattern) if isinstance(piece, str)]
    if not texts:
        # All values must be read, but from the index alone.
        return _READ_WHOLE, (found,)
    longest = max(texts, key=lambda position: len(str(pattern[position])))
    if longest == 0 or not attribute.ends_indexed:
        return (_BEGINNING if texts[0] == 0 else _READ_WHOLE), (found,)
    return _INSIDE, (_by_ending(attribute, pattern, longest),)


def _beginning_list(columns: Sequence[str], text: str) -> _Ranked:
    beginning = WildcardMatch((text, Wildcard.ANY_RUN))
    return _BEGINNING, tuple(_studies(column_clause(column, beginning)) for column in columns)


def _by_ending(attribute: Attribute, pattern: tuple[str | Wildcard, ...], position: int) -> Statement:
    """Studies whose value matches the pattern, looked up by the text at `position`."""
    # Endings are stored with this length at most, so a longer text is looked up by its beginning.
    beginning = str(pattern[position])[:ENDING_LENGTH]
    continues_after = position < len(pattern) - 1
    # The column is binary: LIKE reads the right range, and no blanks are added in comparisons.
    ending = (
        like_clause("ending", (beginning, Wildcard.ANY_RUN))
        if continues_after
        else column_clause("ending", SingleValueMatch(beginning))
    )
    # The pattern is checked here too: a text may be frequent where the pattern is rare, and the list would then be
    # too long, and an ordered scan in its place would take seconds.
    where = joined(" AND ", [ending, column_clause("value", WildcardMatch(pattern))])
    return Statement(
        "SELECT studies.id AS study_key FROM text_endings "  # noqa: S608 - constants only
        f"STRAIGHT_JOIN studies ON studies.{attribute.column} = text_endings.value WHERE tag = %s AND {where.sql}",
        (tag_number(attribute), *where.params),
    )


# --- names ------------------------------------------------------------------------------------


def _name_lists(attribute: Attribute, match: Match) -> Iterator[_Ranked]:
    match match:
        case PersonNameMatch(any_group, groups):
            if any_group is not None:
                yield from _text_lists(attribute, any_group, columns_of(attribute))
            for group, column in zip(groups, columns_of(attribute), strict=True):
                if group is not None:
                    yield from _text_lists(attribute, group, (column,))
        case FuzzyNameMatch(words, literal):
            by_words = [
                _fragment_list(attribute, _Fragment(word, continues_before=False, continues_after=True))
                for word in words
            ]
            if literal is None:
                yield from by_words
                return
            # A hit matches the words or the literal text, so a list of each, read together, contains every hit.
            for (literal_rank, by_literal), (rank, by_word) in zip(
                _name_lists(attribute, literal), by_words, strict=False
            ):
                yield max(rank, literal_rank), (*by_literal, *by_word)


def _text_lists(attribute: Attribute, match: TextMatch, columns: Sequence[str]) -> Iterator[_Ranked]:
    pattern = match.pattern if isinstance(match, WildcardMatch) else (str(match.value),)
    fragments = list(_fragments(pattern))
    if attribute.keyword in INDEXED and isinstance(pattern[0], str):
        if isinstance(match, SingleValueMatch):
            yield _EQUAL, tuple(_studies(column_clause(column, match)) for column in columns)
            return
        yield _beginning_list(columns, pattern[0])
        # The list of names with this beginning is at least as short as a list by the words in it.
        fragments = fragments[len(name_words(pattern[0])) :]
    for fragment in fragments:
        yield _fragment_list(attribute, fragment)


def _fragments(pattern: tuple[str | Wildcard, ...]) -> Iterator[_Fragment]:
    """Split the texts of a pattern into words."""
    last = len(pattern) - 1
    for position, piece in enumerate(pattern):
        if isinstance(piece, Wildcard):
            continue
        words = name_words(piece)
        for number, word in enumerate(words):
            yield _Fragment(
                word,
                # Words within a piece are separated from each other, so only the outer ones can continue.
                continues_before=number == 0 and position > 0 and word_continues("a", piece),
                continues_after=number == len(words) - 1 and position < last and word_continues(piece, "a"),
            )


def _fragment_list(attribute: Attribute, fragment: _Fragment) -> _Ranked:
    tag, text = tag_number(attribute), fragment.text
    # Such a name may contain any text, see `rows.name_word_rows`.
    unstored = Statement(
        f"SELECT study_key FROM person_name_words WHERE tag = %s AND word = '{UNKNOWN_WORD}'",  # noqa: S608 - constants
        (tag,),
    )
    beginning = WildcardMatch((text, Wildcard.ANY_RUN))
    if not fragment.continues_before:
        match: Match = beginning if fragment.continues_after else SingleValueMatch(text)
        where = column_clause("word", match)
        found = Statement(
            f"SELECT study_key FROM person_name_words WHERE tag = %s AND {where.sql}",  # noqa: S608 - constants only
            (tag, *where.params),
        )
        return (_BEGINNING if fragment.continues_after else _WORD), (found, unstored)
    where = column_clause("ending", beginning if fragment.continues_after else SingleValueMatch(text))
    found = Statement(
        "SELECT study_key FROM person_name_endings "  # noqa: S608 - constants only
        "STRAIGHT_JOIN person_name_words ON person_name_words.word = person_name_endings.word "
        f"WHERE {where.sql} AND tag = %s",
        (*where.params, tag),
    )
    return _INSIDE, (found, unstored)


def _studies(where: Statement) -> Statement:
    return Statement(f"SELECT id AS study_key FROM studies WHERE {where.sql}", where.params)  # noqa: S608
