"""The kinds of attribute matching (PS3.4 §C.2.2.2) as values; `parse_match` creates them from text. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import Enum


class Wildcard(Enum):
    """A wildcard character of a pattern."""

    ANY_RUN = "*"
    ANY_ONE = "?"


@dataclass(frozen=True, slots=True)
class UniversalMatch:
    """Every value matches, and so does a missing one (PS3.4 §C.2.2.2.3)."""


@dataclass(frozen=True, slots=True)
class SingleValueMatch:
    """The value equals `value` (PS3.4 §C.2.2.2.1)."""

    value: str | int


@dataclass(frozen=True, slots=True)
class UidListMatch:
    """The UID is one of these (PS3.4 §C.2.2.2.2); never empty."""

    uids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ValueListMatch:
    """The value is one of these; never empty. An extension: OHIF sends such lists for ModalitiesInStudy."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AllValuesMatch:
    """The values of the attribute include all of these (PS3.4 §C.2.2.2.8); never empty."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EmptyValueMatch:
    """The attribute is absent or has no value (PS3.4 §C.2.2.2.7).

    An invalid value (a date 20241399) counts as no value, since no other search finds it.
    """


@dataclass(frozen=True, slots=True)
class WildcardMatch:
    """The value matches `pattern`, whose texts are literal (PS3.4 §C.2.2.2.4)."""

    pattern: tuple[str | Wildcard, ...]


@dataclass(frozen=True, slots=True)
class DateRangeMatch:
    """The date lies between `first` and `last`, both included; None is an open end (PS3.4 §C.2.2.2.5)."""

    first: date | None
    last: date | None


@dataclass(frozen=True, slots=True)
class TimeRangeMatch:
    """The time of day lies between `first` and `last`, both included; None is an open end (PS3.4 §C.2.2.2.5)."""

    first: time | None
    last: time | None


@dataclass(frozen=True, slots=True)
class DateTimeRangeMatch:
    """The moment of a date and its time of day lies in the range, ends included (PS3.4 §C.2.2.2.5).

    None is an open end. A date without a time matches if the whole day lies in the range.
    """

    first: datetime | None
    last: datetime | None


TextMatch = SingleValueMatch | WildcardMatch


@dataclass(frozen=True, slots=True)
class PersonNameMatch:
    """The name matches; both sides are folded (see `person_names`).

    Parameters
    ----------
    any_group
        Match for at least one of the three component groups, or None.
    groups
        Matches for the alphabetic, the ideographic and the phonetic group; None if any value matches.
    """

    any_group: TextMatch | None
    groups: tuple[TextMatch | None, TextMatch | None, TextMatch | None] = (None, None, None)


@dataclass(frozen=True, slots=True)
class FuzzyNameMatch:
    """Each of `words` is the beginning of a word of the name, in any order and group (PS3.18 §8.3.4.2).

    Parameters
    ----------
    words
        Folded, see `person_names.name_words`; never empty.
    literal
        Alternative for a text with wildcards: its literal match, whose hits are found as well. None for a
        text without wildcards, since its words find all hits of the literal match.
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
