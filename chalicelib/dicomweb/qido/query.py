"""A search request (QIDO-RS, PS3.18 §10.6) as a validated value. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from chalicelib.dicomweb.attributes import BY_KEYWORD, BY_PATH, Attribute, Level
from chalicelib.dicomweb.qido.attribute_names import path_of
from chalicelib.dicomweb.qido.include_fields import FieldReading, RequestedFields
from chalicelib.dicomweb.qido.matches import DateRangeMatch, Match, TimeRangeMatch
from chalicelib.dicomweb.qido.parse_match import MatchingOptions, parse_match
from chalicelib.dicomweb.qido.ranges import check_order, combine_ranges
from chalicelib.dicomweb.resources import check_uid
from chalicelib.errors import InvalidQueryError

# Hits per page, by default and at most. Warning 299 announces further hits, and `offset` requests them.
DEFAULT_LIMIT = 1000
MAX_LIMIT = 1000
# The limit if the complete data sets of the hits must be read, each of which can have megabytes.
MAX_LIMIT_OF_DATA_SETS = 100

_DIGITS = re.compile(r"[0-9]{1,9}\Z")
_SAFE_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")

# From the name of the parameter to the field of `MatchingOptions`.
_OPTIONS = {
    "fuzzymatching": "fuzzy",
    "emptyvaluematching": "empty_value",
    "multiplevaluematching": "multiple_value",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One matching key of a search, or a combined range of a date and its time."""

    attribute: Attribute
    match: Match


@dataclass(frozen=True, slots=True, kw_only=True)
class QidoQuery:
    """One search: its scope, its matching keys, its page, and the attributes that it returns.

    Parameters
    ----------
    level
        Level of the hits.
    study_instance_uid, series_instance_uid
        The study or series that is searched, from the path; None for the whole archive.
    conditions
        All must match. An attribute has at most one; a range of dates and a range of times of the same
        event form one condition, on the date.
    fields
        Attributes that are requested by `includefield` or as matching keys (PS3.18 §10.6.3.3), in addition
        to those that are always returned.
    limit, offset
        The page, in hits (PS3.18 §8.3.4.4).
    warnings
        Sentences on parts of the request that were ignored; each becomes a Warning header.
    """

    level: Level
    study_instance_uid: str | None = None
    series_instance_uid: str | None = None
    conditions: tuple[Condition, ...] = ()
    fields: RequestedFields = field(default_factory=RequestedFields)
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    warnings: tuple[str, ...] = ()

    @classmethod
    def parse(
        cls,
        level: Level,
        pairs: Iterable[tuple[str, str]],
        *,
        study_instance_uid: str | None = None,
        series_instance_uid: str | None = None,
    ) -> "QidoQuery":
        """Create the query from the decoded parameters of a request, in their order.

        Raises
        ------
        InvalidUidError
            A UID in the path or in a matching key is not valid.
        InvalidQueryError
            A parameter is unknown, given twice, or has an invalid value; the message names it.
        """
        reading = _Reading(level)
        for name, value in pairs:
            reading.take(name, value)
        conditions = reading.conditions()
        fields, warnings = reading.fields.finish()
        max_limit = MAX_LIMIT_OF_DATA_SETS if fields.need_data_set else MAX_LIMIT
        return cls(
            level=level,
            study_instance_uid=_path_uid(study_instance_uid, "StudyInstanceUID"),
            series_instance_uid=_path_uid(series_instance_uid, "SeriesInstanceUID"),
            conditions=conditions,
            fields=fields,
            limit=min(reading.numbers.get("limit", DEFAULT_LIMIT), max_limit),
            offset=reading.numbers.get("offset", 0),
            warnings=tuple(warnings),
        )


class _Reading:
    """Collects the parameters of one request, one after the other."""

    def __init__(self, level: Level) -> None:
        self.level = level
        self.fields = FieldReading(level)
        self.numbers: dict[str, int] = {}
        self._options: dict[str, bool] = {}
        self._keys: dict[str, tuple[Attribute, str]] = {}
        self._seen: set[str] = set()

    def take(self, name: str, value: str) -> None:
        if name == "includefield":
            self.fields.include(value)
        elif name in ("limit", "offset"):
            self._once(name, name)
            self.numbers[name] = _number(name, value)
        elif name in _OPTIONS:
            self._once(name, name)
            self._options[_OPTIONS[name]] = _boolean(name, value)
        elif self.fields.take_creator(name, value):
            self._once(name.upper(), name)
        else:
            self._take_key(name, value)

    def conditions(self) -> tuple[Condition, ...]:
        """Return the conditions, with ranges of a date and of its time combined."""
        # All options are known only now, since parameters can have any order.
        options = MatchingOptions(**self._options)
        conditions = {
            path: Condition(attribute, parse_match(attribute, value, options))
            for path, (attribute, value) in self._keys.items()
        }
        ranges = {path for path, (_, value) in self._keys.items() if "-" in value}
        for path, condition in list(conditions.items()):
            time_keyword = condition.attribute.time_keyword
            time_path = time_keyword and BY_KEYWORD[time_keyword].path
            # A single time applies to every date of a range; only two ranges form one range of moments.
            if not time_path or not {path, time_path} <= ranges:
                continue
            dates, times = condition.match, conditions[time_path].match
            moments = (
                combine_ranges(dates, times)
                if isinstance(dates, DateRangeMatch) and isinstance(times, TimeRangeMatch)
                else None
            )
            if moments is not None:
                conditions[path] = Condition(condition.attribute, moments)
                del conditions[time_path]
        for condition in conditions.values():
            check_order(condition.attribute, condition.match)
        return tuple(conditions.values())

    def _once(self, identity: str, name: str) -> None:
        if identity in self._seen:
            raise InvalidQueryError(f"{_shown(name)} is given more than once")
        self._seen.add(identity)

    def _take_key(self, name: str, value: str) -> None:
        attribute = BY_PATH.get(path_of(name) or "")
        if attribute is None or not attribute.searchable:
            raise InvalidQueryError(f"{_shown(name)} is neither a search parameter nor a searchable attribute")
        if attribute.level > self.level:
            raise InvalidQueryError(
                f"{_shown(name)} is an attribute of the {attribute.level.name.lower()} level "
                f"and cannot be matched in a search for {_PLURAL[self.level]}"
            )
        self._once(attribute.path, name)
        self._keys[attribute.path] = (attribute, value)
        self.fields.include_key(attribute.sequence or attribute.tag)


_PLURAL = {Level.STUDY: "studies", Level.SERIES: "series", Level.INSTANCE: "instances"}


def _path_uid(text: str | None, name: str) -> str | None:
    return None if text is None else check_uid(text, name)


def _shown(name: str) -> str:
    """Return the name that the client gave to a parameter, if it is safe to repeat."""
    return name if _SAFE_NAME.match(name) else "A parameter"


def _number(name: str, value: str) -> int:
    if not _DIGITS.match(value):
        raise InvalidQueryError(f"{name} is not an unsigned integer")
    return int(value)


def _boolean(name: str, value: str) -> bool:
    if value not in ("true", "false"):
        raise InvalidQueryError(f"{name} is neither true nor false")
    return value == "true"
