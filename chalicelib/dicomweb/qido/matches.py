"""The kinds of attribute matching (PS3.4 §C.2.2.2) as values; their text is parsed in `parse_match`. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import Enum


class Wildcard(Enum):
    """A wildcard character of a pattern."""

    ANY_RUN = "*"
    ANY_ONE = "?"


@dataclass(frozen=True, slots=True)
class UniversalMatch:
    """Everything matches, also a missing value (PS3.4 §C.2.2.2.3)."""


@dataclass(frozen=True, slots=True)
class SingleValueMatch:
    """The value equals (PS3.4 §C.2.2.2.1)."""

    value: str | int


@dataclass(frozen=True, slots=True)
class UidListMatch:
    """The UID is one of these (PS3.4 §C.2.2.2.2); never empty."""

    uids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ValueListMatch:
    """The value is one of these: a list of codes as OHIF sends for ModalitiesInStudy; never empty."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AllValuesMatch:
    """Each of these is a value of the attribute, among others maybe (PS3.4 §C.2.2.2.8); never empty."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EmptyValueMatch:
    """The attribute is absent or has no value (PS3.4 §C.2.2.2.7).

    A text that is no value of the attribute's kind (a date 20241399) counts as none: no search finds it.
    """


@dataclass(frozen=True, slots=True)
class WildcardMatch:
    """The value has this shape (PS3.4 §C.2.2.2.4); every text in `pattern` is literal."""

    pattern: tuple[str | Wildcard, ...]


@dataclass(frozen=True, slots=True)
class DateRangeMatch:
    """The date lies between, both ends included; None is an open end (PS3.4 §C.2.2.2.5)."""

    first: date | None
    last: date | None


@dataclass(frozen=True, slots=True)
class TimeRangeMatch:
    """The time of day lies between, both ends included; None is an open end (PS3.4 §C.2.2.2.5)."""

    first: time | None
    last: time | None


@dataclass(frozen=True, slots=True)
class DateTimeRangeMatch:
    """Date and time of day, taken together, lie between, both ends included; None is an open end.

    A value without a time matches where its date alone decides: inside the range, or at an end that
    begins or ends with its day.
    """

    first: datetime | None
    last: datetime | None


TextMatch = SingleValueMatch | WildcardMatch


@dataclass(frozen=True, slots=True)
class PersonNameMatch:
    """The name matches, compared folded (see `person_names`).

    Parameters
    ----------
    any_group
        What at least one of the three component groups must match, or None.
    groups
        What the alphabetic, ideographic and phonetic group each must match; None where it may be any.
    """

    any_group: TextMatch | None
    groups: tuple[TextMatch | None, TextMatch | None, TextMatch | None] = (None, None, None)


@dataclass(frozen=True, slots=True)
class FuzzyNameMatch:
    """Each of the words begins a word of the name, in any order and component group (PS3.18 §8.3.4.2).

    Parameters
    ----------
    words
        Folded, see `person_names.name_words`; never empty.
    literal
        What matches just as well: the literal match of a text with wildcards. Without wildcards the
        words find all that the literal match would.
    """

    words: tuple[str, ...]
    literal: PersonNameMatch | None = None


Match = (
    UniversalMatch
    | EmptyValueMatch
    | SingleValueMatch
    | UidListMatch
    | ValueListMatch
    | AllValuesMatch
    | WildcardMatch
    | DateRangeMatch
    | TimeRangeMatch
    | DateTimeRangeMatch
    | PersonNameMatch
    | FuzzyNameMatch
)
