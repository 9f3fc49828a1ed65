"""Attribute matching on documents, literally as in PS3.4 §C.2.2.2: the reference for the real index."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from chalicelib.dicomweb.attributes import BY_KEYWORD, Attribute, DicomJson, Level, Matching
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
    UniversalMatch,
    ValueListMatch,
    Wildcard,
    WildcardMatch,
)
from chalicelib.dicomweb.qido.person_names import folded_groups, indexed_words, words_match
from chalicelib.dicomweb.qido.query import Condition
from chalicelib.dicomweb.resources import check_uid
from chalicelib.dicomweb.values import first_value, parse_date, parse_integer, parse_time_span, plain_text
from chalicelib.errors import InvalidUidError

_REGEX = {Wildcard.ANY_RUN: ".*", Wildcard.ANY_ONE: "."}


def all_match(conditions: tuple[Condition, ...], documents: Mapping[Level, DicomJson]) -> bool:
    """Whether an entity meets all conditions; `documents` are those of its level and of the levels above."""
    in_items: dict[str, list[Condition]] = {}
    for condition in conditions:
        if isinstance(condition.match, UniversalMatch):
            continue
        attribute = condition.attribute
        if attribute.sequence is not None:
            in_items.setdefault(attribute.sequence, []).append(condition)
        elif not _matches(attribute, condition.match, documents[attribute.level]):
            return False
    return all(
        _some_item_matches(together, _items(documents[together[0].attribute.level].get(sequence)))
        for sequence, together in in_items.items()
    )


def _some_item_matches(conditions: list[Condition], items: list[DicomJson]) -> bool:
    # A sequence without items matches like one whose only item is empty.
    return any(
        all(_matches(condition.attribute, condition.match, item) for condition in conditions) for item in items or [{}]
    )


def _matches(attribute: Attribute, match: Match, document: DicomJson) -> bool:
    element = document.get(attribute.tag)
    if isinstance(match, DateTimeRangeMatch):
        time_element = document.get(BY_KEYWORD[attribute.time_keyword or ""].tag)
        return _moment_between(match, element, time_element)
    if isinstance(match, EmptyValueMatch) and attribute.matching is Matching.SEQUENCE:
        return not _items(element)
    values = [value for value in _values(attribute, element) if not _is_empty(attribute, value)]
    if isinstance(match, EmptyValueMatch):
        return not values
    if isinstance(match, AllValuesMatch):
        return set(match.values) <= {plain_text(value) for value in values}
    return any(_value_matches(attribute, match, value) for value in values)


def _values(attribute: Attribute, element: Any) -> list[Any]:
    """Values that are compared: all of a multi-valued attribute, the first of one whose VM is 1."""
    values = element.get("Value") if isinstance(element, dict) else None
    there = [value for value in values if value is not None] if isinstance(values, list) else []
    return there if attribute.multivalued else there[:1]


def _items(element: Any) -> list[DicomJson]:
    items = element.get("Value") if isinstance(element, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _is_empty(attribute: Attribute, value: Any) -> bool:
    """Whether a value is empty, or not valid for the kind of matching of its attribute."""
    text = plain_text(value)
    match attribute.matching:
        case Matching.NAME:
            return not any(folded_groups(value))
        case Matching.DATE:
            return parse_date(text) is None
        case Matching.TIME:
            return parse_time_span(text) is None
        case Matching.NUMBER:
            return parse_integer(text) is None
        case Matching.UID:
            return not _is_uid(text)
        case _:
            return text == ""


def _is_uid(text: str) -> bool:
    try:
        check_uid(text)
    except InvalidUidError:
        return False
    return True


def _value_matches(attribute: Attribute, match: Match, value: Any) -> bool:
    text = plain_text(value)
    match match:
        case PersonNameMatch():
            return _name_matches(match, folded_groups(value))
        case FuzzyNameMatch(words, literal):
            groups = folded_groups(value)
            return words_match(words, indexed_words(groups)) or (literal is not None and _name_matches(literal, groups))
        case UidListMatch(wanted) | ValueListMatch(wanted):
            return text in wanted
        case DateRangeMatch(first, last):
            day = parse_date(text)
            return day is not None and (first or date.min) <= day <= (last or date.max)
        case TimeRangeMatch(first_time, last_time):
            span = parse_time_span(text)
            return span is not None and (first_time or time.min) <= span[0] <= (last_time or time.max)
        case SingleValueMatch(number) if attribute.matching is Matching.NUMBER:
            return parse_integer(text) == number
        case SingleValueMatch() | WildcardMatch():
            return _text_matches(match, text)
        case _:
            raise TypeError(f"{type(match).__name__} cannot be compared with a single value")


def _text_matches(match: TextMatch, text: str) -> bool:
    if isinstance(match, SingleValueMatch):
        return text == match.value
    regex = "".join(_REGEX[piece] if isinstance(piece, Wildcard) else re.escape(piece) for piece in match.pattern)
    return text != "" and re.fullmatch(regex, text, re.DOTALL) is not None


def _name_matches(match: PersonNameMatch, groups: tuple[str, str, str]) -> bool:
    if match.any_group is not None:
        return any(_text_matches(match.any_group, group) for group in groups)
    return all(
        wanted is None or _text_matches(wanted, group) for wanted, group in zip(match.groups, groups, strict=True)
    )


def _moment_between(match: DateTimeRangeMatch, date_element: Any, time_element: Any) -> bool:
    day = parse_date(plain_text(first_value(date_element)))
    if day is None:
        return False
    span = parse_time_span(plain_text(first_value(time_element)))
    earliest, latest = (span[0], span[0]) if span else (time.min, time.max)
    return (match.first is None or match.first <= datetime.combine(day, earliest)) and (
        match.last is None or datetime.combine(day, latest) <= match.last
    )
