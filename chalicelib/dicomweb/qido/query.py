"""A search request (QIDO-RS, PS3.18 §10.6) as a checked value. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from chalicelib.dicomweb.attributes import BY_KEYWORD, BY_PATH, Attribute, Level
from chalicelib.dicomweb.qido.include_fields import FieldReading, RequestedFields, path_of
from chalicelib.dicomweb.qido.matches import DateRangeMatch, Match, TimeRangeMatch
from chalicelib.dicomweb.qido.parse_match import MatchingOptions, check_order, combine_ranges, parse_match
from chalicelib.dicomweb.resources import check_uid
from chalicelib.errors import InvalidQueryError

__all__ = ["DEFAULT_LIMIT", "MAX_LIMIT", "Condition", "Level", "QidoQuery"]

# The page of a client that asks for none, and the largest. More are told of by Warning 299 and had by `offset`.
DEFAULT_LIMIT = 1000
MAX_LIMIT = 1000
# Where the hits' whole data sets must be read, each of which may have megabytes.
MAX_LIMIT_OF_DATA_SETS = 100

_DIGITS = re.compile(r"[0-9]{1,9}\Z")
_SAFE_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")

# Name of the parameter: of the option.
_OPTIONS = {
    "fuzzymatching": "fuzzy",
    "emptyvaluematching": "empty_value",
    "multiplevaluematching": "multiple_value",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One matching key of a search."""

    attribute: Attribute
    match: Match


@dataclass(frozen=True, slots=True, kw_only=True)
class QidoQuery:
    """One search: what is searched, what must match, which page of it, and what is returned.

    Parameters
    ----------
    level
        What the hits are.
    study_instance_uid, series_instance_uid
        The resource that is searched, from the path; None for the whole archive.
    conditions
        All must match. At most one an attribute; a range of dates with a range of times of the same
        event is one condition, of the date.
    fields
        What is asked for, by `includefield` or by being a matching key (PS3.18 §10.6.3.3), beyond what is
        always returned.
    limit, offset
        The page.
    warnings
        What of the request was not done; each becomes a Warning header.
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
        """Make the query of a request's decoded parameters, in their order.

        Raises
        ------
        InvalidUidError
            If a UID of the path is none.
        InvalidQueryError
            If a parameter is unknown, given twice, or has a wrong value; the message names it.
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
    """The parameters of one request, taken one after the other."""

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
        """The conditions, with pairs of date and time ranges made one."""
        # Only now all options are known.
        options = MatchingOptions(**self._options)
        conditions = {
            path: Condition(attribute, parse_match(attribute, value, options))
            for path, (attribute, value) in self._keys.items()
        }
        ranges = {path for path, (_, value) in self._keys.items() if "-" in value}
        for path, condition in list(conditions.items()):
            time_keyword = condition.attribute.time_keyword
            time_path = time_keyword and BY_KEYWORD[time_keyword].path
            # A single time goes with every date of a range: only two ranges are one range of moments.
            if not time_path or not {path, time_path} <= ranges:
                continue
            dates, times = condition.match, conditions[time_path].match
            if isinstance(dates, DateRangeMatch) and isinstance(times, TimeRangeMatch):
                moments = combine_ranges(dates, times)
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
            raise InvalidQueryError(f"{_shown(name)} is not a parameter or attribute that can be searched by")
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
    """The client's own name for a parameter, where it is harmless to repeat."""
    return name if _SAFE_NAME.match(name) else "A parameter"


def _number(name: str, value: str) -> int:
    if not _DIGITS.match(value):
        raise InvalidQueryError(f"{name} is not an unsigned integer")
    return int(value)


def _boolean(name: str, value: str) -> bool:
    if value not in ("true", "false"):
        raise InvalidQueryError(f"{name} is neither true nor false")
    return value == "true"
