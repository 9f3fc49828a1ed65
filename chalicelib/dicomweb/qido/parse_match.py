"""Parses the text of a matching key into a match (PS3.4 §C.2.2.2). Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from chalicelib.dicomweb.attributes import Attribute, Matching
from chalicelib.dicomweb.qido.matches import (
    AllValuesMatch,
    DateRangeMatch,
    EmptyValueMatch,
    FuzzyNameMatch,
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
from chalicelib.dicomweb.qido.person_names import MAX_WORDS, fold_name, name_groups, name_words, word_continues
from chalicelib.dicomweb.resources import check_uid
from chalicelib.dicomweb.values import parse_date, parse_integer, parse_time_span, plain_text
from chalicelib.errors import InvalidQueryError

_MAX_LIST_LENGTH = 1000  # values in one list; keeps a statement far below the packet size of the database server

_MAX_ALL_VALUES = 16  # each becomes a subquery; no study has that many modalities

# PS3.4 §C.2.2.2.7: "exactly two QUOTATION MARK characters".
_EMPTY_VALUE = '""'


@dataclass(frozen=True, slots=True)
class MatchingOptions:
    """Kinds of matching that a request can turn on (PS3.18 §8.3.4.2, §8.3.4.5, §8.3.4.6)."""

    fuzzy: bool = False
    empty_value: bool = False
    multiple_value: bool = False


def parse_match(attribute: Attribute, text: str, options: MatchingOptions) -> Match:
    """Create the match that `text` requests for `attribute`.

    Raises
    ------
    InvalidQueryError
        The text is not valid for the attribute; the message names the attribute and never contains the text.
    InvalidUidError
        A UID is not valid.
    """
    cleaned = plain_text(text)
    if not cleaned:
        return UniversalMatch()
    if options.empty_value and cleaned == _EMPTY_VALUE:
        return EmptyValueMatch()
    if options.multiple_value and attribute.multivalued:
        return _parse_all_values(attribute, cleaned)
    match = _PARSERS[attribute.matching](attribute, cleaned)
    return _fuzzy(attribute, cleaned, match) if options.fuzzy and isinstance(match, PersonNameMatch) else match


def pattern_of(text: str) -> tuple[str | Wildcard, ...]:
    """Split a text at its wildcards; adjacent ``*`` become one (PS3.4 §C.2.2.2.4)."""
    pieces: list[str | Wildcard] = []
    for piece in re.split(r"([*?])", text):
        if piece in ("*", "?"):
            wildcard = Wildcard(piece)
            if not (wildcard is Wildcard.ANY_RUN and pieces and pieces[-1] is wildcard):
                pieces.append(wildcard)
        elif piece:
            pieces.append(piece)
    return tuple(pieces)


def _text_match(text: str) -> TextMatch | UniversalMatch:
    pattern = pattern_of(text)
    if pattern == (Wildcard.ANY_RUN,):
        return UniversalMatch()
    if any(isinstance(piece, Wildcard) for piece in pattern):
        return WildcardMatch(pattern)
    return SingleValueMatch(text)


def _parse_text(_attribute: Attribute, text: str) -> Match:
    return _text_match(text)


def _parse_code(attribute: Attribute, text: str) -> Match:
    # A code string contains neither a comma nor a backslash (PS3.5 §6.2), so both can separate values: OHIF
    # sends ModalitiesInStudy=CT,MR, and older versions send CT\MR.
    values = _list_of(attribute, text)
    if len(values) == 1:
        return _text_match(values[0])
    matches = [_text_match(value) for value in values]
    if any(isinstance(match, UniversalMatch) for match in matches):
        return UniversalMatch()
    if any(isinstance(match, WildcardMatch) for match in matches):
        raise InvalidQueryError(f"{attribute.keyword}: a list of values cannot hold wildcards")
    return ValueListMatch(values)


def _parse_all_values(attribute: Attribute, text: str) -> Match:
    values = _list_of(attribute, text)
    if len(values) == 1:
        return _text_match(values[0])
    if any(not isinstance(_text_match(value), SingleValueMatch) for value in values):
        # PS3.4 §C.2.2.2.8: "Key Attribute Values shall not include wild cards".
        raise InvalidQueryError(f"{attribute.keyword}: a list of values cannot hold wildcards")
    if len(values) > _MAX_ALL_VALUES:
        raise InvalidQueryError(f"{attribute.keyword} lists more than {_MAX_ALL_VALUES} values")
    return AllValuesMatch(values)


def _parse_sequence(attribute: Attribute, text: str) -> Match:
    if text.strip("*") == "":
        return UniversalMatch()
    raise InvalidQueryError(f"{attribute.keyword} is a sequence: name an attribute of its items after a dot")


def _parse_uid(attribute: Attribute, text: str) -> Match:
    if text.strip("*") == "":
        return UniversalMatch()
    return UidListMatch(tuple(check_uid(uid, attribute.keyword) for uid in _list_of(attribute, text)))


def _parse_name(_attribute: Attribute, text: str) -> Match:
    groups = name_groups(text)
    if len(groups) == 1:
        match = _name_match(groups[0])
        return UniversalMatch() if match is None else PersonNameMatch(match)
    matches = [_name_match(group) for group in [*groups, "", ""][:3]]
    if not any(matches):
        return UniversalMatch()
    return PersonNameMatch(None, (matches[0], matches[1], matches[2]))


def _name_match(text: str) -> TextMatch | None:
    match = _text_match(text)
    if isinstance(match, UniversalMatch):
        return None
    if isinstance(match, SingleValueMatch):
        folded = fold_name(text)
        return SingleValueMatch(folded) if folded else None
    # Fold after splitting: folding turns a full-width asterisk into a plain one, which must stay literal.
    return WildcardMatch(
        tuple(piece if isinstance(piece, Wildcard) else fold_name(piece, whole=False) for piece in match.pattern)
    )


def _fuzzy(attribute: Attribute, text: str, literal: PersonNameMatch) -> Match:
    """Return the fuzzy match together with the literal one, or the literal one alone if no word can be looked up.

    A word of the query matches as the beginning of a word anyway, so an asterisk before or after it adds
    nothing. Any other wildcard has no meaning for words: such a text is matched literally only.
    """
    pieces = text.split("*")
    inside_a_word = any(word_continues(left, right) for left, right in pairwise(pieces))
    words = tuple(dict.fromkeys(word for piece in pieces for word in name_words(fold_name(piece, whole=False))))
    if "?" in text or inside_a_word or not words:
        return literal
    if len(words) > MAX_WORDS:
        raise InvalidQueryError(f"{attribute.keyword} has more than {MAX_WORDS} words")
    return FuzzyNameMatch(words, literal if "*" in text else None)


def _parse_date(attribute: Attribute, text: str) -> Match:
    if text.strip("*") == "":
        return UniversalMatch()
    bounds = [_date_bound(attribute, bound) for bound in _range_of(attribute, text)]
    return DateRangeMatch(bounds[0], bounds[-1])


def _date_bound(attribute: Attribute, text: str) -> date | None:
    value = parse_date(text)
    if text and value is None:
        raise InvalidQueryError(f"{attribute.keyword} is not a date (YYYYMMDD) or a range of dates")
    return value


def _parse_time(attribute: Attribute, text: str) -> Match:
    if text.strip("*") == "":
        return UniversalMatch()
    spans = [parse_time_span(bound) for bound in _range_of(attribute, text)]
    for bound, span in zip(_range_of(attribute, text), spans, strict=True):
        if bound and span is None:
            raise InvalidQueryError(
                f"{attribute.keyword} is not a time (HH, HHMM, HHMMSS or HHMMSS.FFFFFF) or a range of times"
            )
    # "1030" denotes the whole minute: a range up to it ends at 10:30:59.999999.
    first = spans[0][0] if spans[0] else None
    last = spans[-1][1] if spans[-1] else None
    return TimeRangeMatch(first, last)


def _range_of(attribute: Attribute, text: str) -> tuple[str, ...]:
    """Split a text into one value, or the two ends of a range; at least one end is given."""
    bounds = tuple(bound.strip() for bound in text.split("-"))
    if len(bounds) > 2 or not any(bounds):
        raise InvalidQueryError(f"{attribute.keyword} is not a value or a range (A-B, A-, -B)")
    return bounds


def _parse_number(attribute: Attribute, text: str) -> Match:
    if text.strip("*") == "":
        return UniversalMatch()
    value = parse_integer(text)
    if value is None:
        raise InvalidQueryError(f"{attribute.keyword} is not an integer")
    return SingleValueMatch(value)


def _list_of(attribute: Attribute, text: str) -> tuple[str, ...]:
    values = tuple(dict.fromkeys(value.strip() for value in re.split(r"[,\\]", text)))
    values = tuple(value for value in values if value)
    if not values:
        raise InvalidQueryError(f"{attribute.keyword} is a list without values")
    if len(values) > _MAX_LIST_LENGTH:
        raise InvalidQueryError(f"{attribute.keyword} lists more than {_MAX_LIST_LENGTH} values")
    return values


_PARSERS: dict[Matching, Callable[[Attribute, str], Match]] = {
    Matching.UID: _parse_uid,
    Matching.TEXT: _parse_text,
    Matching.CODE: _parse_code,
    Matching.NAME: _parse_name,
    Matching.DATE: _parse_date,
    Matching.TIME: _parse_time,
    Matching.NUMBER: _parse_number,
    Matching.SEQUENCE: _parse_sequence,
}
