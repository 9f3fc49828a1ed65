"""DICOM JSON documents as rows of the index, by the attribute table. Pure; no value raises an error.

A value that is longer than its column is cut for the index; the answer of a search has it in full. A value that is
not valid for its kind of matching (date, time, number, UID) becomes NULL. If an attribute of one value has several,
the first is stored.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from chalicelib.adapters.mysql.schema import (
    ENDING_LENGTH,
    NAME_LENGTH,
    NO_DAY,
    REQUEST_ATTRIBUTES_SEQUENCE,
    TEXT_LENGTH,
    UNKNOWN_WORD,
    SqlValue,
    columns_of,
    stored_attributes,
    tag_number,
)
from chalicelib.dicomweb.attributes import Attribute, DicomJson, Level, Matching
from chalicelib.dicomweb.qido.person_names import folded_groups, has_more_words, indexed_words
from chalicelib.dicomweb.resources import check_uid
from chalicelib.dicomweb.values import first_value, parse_date, parse_integer, parse_time_span, plain_text
from chalicelib.errors import InvalidUidError

Row = dict[str, SqlValue]

_MAX_ITEMS = 100  # of one sequence; one or two are usual


def row_of(document: DicomJson, level: Level) -> Row:
    """Return the columns of the level's table with their values; None if the document has no value."""
    row: Row = {}
    for attribute in stored_attributes(level):
        row |= _column_values(attribute, document.get(attribute.tag))
    return row


def request_attribute_rows(series: DicomJson) -> list[Row]:
    """Return one row for each item of Request Attributes Sequence, including empty items."""
    element = series.get(REQUEST_ATTRIBUTES_SEQUENCE)
    items = element.get("Value") if isinstance(element, dict) else None
    rows = []
    for item in items[:_MAX_ITEMS] if isinstance(items, list) else []:
        if isinstance(item, dict):
            row: Row = {}
            for attribute in stored_attributes(Level.SERIES, REQUEST_ATTRIBUTES_SEQUENCE):
                row |= _column_values(attribute, item.get(attribute.tag))
            rows.append(row)
    return rows


def name_word_rows(study: DicomJson) -> set[tuple[int, str]]:
    """Return tag number and folded word, for each word of each person name of a study.

    A name with more text than its stored words has the word `schema.UNKNOWN_WORD` too: it may contain any text.
    """
    rows = set()
    for attribute in stored_attributes(Level.STUDY):
        if attribute.matching is Matching.NAME:
            groups = folded_groups(first_value(study.get(attribute.tag)))
            tag = tag_number(attribute)
            rows |= {(tag, word) for word in indexed_words(groups)}
            # A name that is cut for its column may end within a word, and then differs from the stored words.
            if has_more_words(groups) or any(len(group) > NAME_LENGTH for group in groups):
                rows.add((tag, UNKNOWN_WORD))
    return rows


def ending_rows(words: Iterable[str]) -> list[Row]:
    """Return a row for each ending of each word, including the whole word; in the order of the table's key."""
    endings = {(word[start:], word) for word in words for start in range(len(word))}
    return [{"ending": ending, "word": word} for ending, word in sorted(endings)]


def text_values(study: Row) -> set[tuple[int, str]]:
    """Return tag number and value, for each value of a study's row whose endings are stored."""
    return {
        (tag_number(attribute), str(study[attribute.column or ""]))
        for attribute in stored_attributes(Level.STUDY)
        if attribute.ends_indexed and study[attribute.column or ""] is not None
    }


def text_ending_rows(values: Iterable[tuple[int, str]]) -> list[Row]:
    """Return a row for each ending of each value, cut to `ENDING_LENGTH`; in the order of the table's key."""
    endings = {
        (tag, value[start : start + ENDING_LENGTH], value) for tag, value in values for start in range(len(value))
    }
    return [{"tag": tag, "ending": ending, "value": value} for tag, ending, value in sorted(endings)]


def day_number(study: Row) -> int:
    """Return the day in `study_days` of a study's row; `NO_DAY` without a date."""
    day = study["study_date"]
    return day.toordinal() if isinstance(day, date) else NO_DAY


def _column_values(attribute: Attribute, element: Any) -> Row:
    columns, value = columns_of(attribute), first_value(element)
    if attribute.matching is Matching.NAME:
        return {column: _text(group, NAME_LENGTH) for column, group in zip(columns, folded_groups(value), strict=True)}
    return dict.fromkeys(columns, _scalar(attribute.matching, plain_text(value)))


def _scalar(matching: Matching, text: str) -> SqlValue:
    match matching:
        case Matching.DATE:
            return parse_date(text)
        case Matching.TIME:
            span = parse_time_span(text)
            return span[0] if span else None
        case Matching.NUMBER:
            return parse_integer(text)
        case Matching.UID:
            return _uid(text)
        case _:
            return _text(text, TEXT_LENGTH)


def _text(text: str, length: int) -> str | None:
    # Collations ignore trailing blanks: two texts that differ in nothing else would be the same key.
    return text[:length].rstrip(" ") or None


def _uid(text: str) -> str | None:
    try:
        return check_uid(text)
    except InvalidUidError:
        return None
