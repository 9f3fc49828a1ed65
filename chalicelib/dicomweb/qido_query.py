"""A search request (QIDO-RS, PS3.18 §10.6) as a checked value. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.dicomweb.attributes import (
    BY_KEYWORD,
    BY_PATH,
    TAG_OF_COMPUTED,
    TAG_OF_KEYWORD,
    Attribute,
    Level,
)
from chalicelib.dicomweb.matching import (
    DateRangeMatch,
    Match,
    TimeRangeMatch,
    check_order,
    combine_ranges,
    parse_match,
)
from chalicelib.dicomweb.resources import check_uid
from chalicelib.errors import InvalidQueryError

__all__ = ["DEFAULT_LIMIT", "MAX_LIMIT", "Condition", "Level", "QidoQuery"]

# The page of a client that asks for none, and the largest: 1000 answers of about 2.5 KB stay below the
# 6 MB that a Lambda function may answer. More are told of by Warning 299 and had by `offset`.
DEFAULT_LIMIT = 1000
MAX_LIMIT = 1000

_HEX_TAG = re.compile(r"[0-9A-Fa-f]{8}\Z")
_KEYWORD = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}\Z")
_DIGITS = re.compile(r"[0-9]{1,9}\Z")
_SAFE_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")

_OPTIONS = {
    # PS3.18 §8.3.4.2 gives the sentence; the other two follow it.
    "fuzzymatching": "The fuzzymatching parameter is not supported. Only literal matching has been performed.",
    "emptyvaluematching": "The emptyvaluematching parameter is not supported. "
    "Only literal matching has been performed.",
    "multiplevaluematching": "The multiplevaluematching parameter is not supported. "
    "Only literal matching has been performed.",
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
    included_tags
        Top-level tags asked for, by `includefield` or by being a matching key (PS3.18 §10.6.3.3),
        beyond those always returned.
    include_all
        Whether ``includefield=all`` was given.
    limit, offset
        The page.
    warnings
        What of the request was not done; each becomes a Warning header.
    """

    level: Level
    study_instance_uid: str | None = None
    series_instance_uid: str | None = None
    conditions: tuple[Condition, ...] = ()
    included_tags: frozenset[str] = frozenset()
    include_all: bool = False
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
        return cls(
            level=level,
            study_instance_uid=_path_uid(study_instance_uid, "StudyInstanceUID"),
            series_instance_uid=_path_uid(series_instance_uid, "SeriesInstanceUID"),
            conditions=reading.combined(),
            included_tags=frozenset(reading.included_tags),
            include_all=reading.include_all,
            limit=min(reading.numbers.get("limit", DEFAULT_LIMIT), MAX_LIMIT),
            offset=reading.numbers.get("offset", 0),
            warnings=tuple(reading.warnings),
        )


class _Reading:
    """The parameters of one request, taken one after the other."""

    def __init__(self, level: Level) -> None:
        self.level = level
        self.conditions: dict[str, Condition] = {}
        self.included_tags: set[str] = set()
        self.include_all = False
        self.numbers: dict[str, int] = {}
        self.warnings: list[str] = []
        self._seen: set[str] = set()
        self._ranges: set[str] = set()

    def combined(self) -> tuple[Condition, ...]:
        """The conditions, with pairs of date and time ranges made one."""
        conditions = dict(self.conditions)
        for path, condition in self.conditions.items():
            time_keyword = condition.attribute.time_keyword
            time_path = time_keyword and BY_KEYWORD[time_keyword].path
            # A single time goes with every date of a range: only two ranges are one range of moments.
            if not time_path or not {path, time_path} <= self._ranges:
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

    def take(self, name: str, value: str) -> None:
        if name == "includefield":
            for field in value.split(","):
                self._include(field.strip())
            return
        if name in ("limit", "offset"):
            self._once(name, name)
            self.numbers[name] = _number(name, value)
            return
        if name in _OPTIONS:
            self._once(name, name)
            if _boolean(name, value):
                self.warnings.append(_OPTIONS[name])
            return
        self._match(name, value)

    def _once(self, identity: str, name: str) -> None:
        if identity in self._seen:
            raise InvalidQueryError(f"{_shown(name)} is given more than once")
        self._seen.add(identity)

    def _match(self, name: str, value: str) -> None:
        attribute = BY_PATH.get(_path_of(name) or "")
        if attribute is None or not attribute.searchable:
            raise InvalidQueryError(f"{_shown(name)} is not a parameter or attribute that can be searched by")
        if attribute.level > self.level:
            raise InvalidQueryError(
                f"{_shown(name)} is an attribute of the {attribute.level.name.lower()} level "
                f"and cannot be matched in a search for {_PLURAL[self.level]}"
            )
        self._once(attribute.path, name)
        self.conditions[attribute.path] = Condition(attribute, parse_match(attribute, value))
        self.included_tags.add(attribute.sequence or attribute.tag)
        if "-" in value:
            self._ranges.add(attribute.path)

    def _include(self, field: str) -> None:
        if field == "all":
            self.include_all = True
            return
        if not all(_HEX_TAG.match(part) or _KEYWORD.match(part) for part in field.split(".")):
            raise InvalidQueryError("includefield holds something that is neither keyword nor tag")
        path = _path_of(field)
        if field in TAG_OF_COMPUTED or path in TAG_OF_COMPUTED.values():
            return
        # An attribute inside a sequence comes with the whole sequence: items hold only what is in the table.
        attribute = BY_PATH.get(path.split(".")[0]) if path else None
        if attribute is None:
            self.warnings.append(f"The includefield {_shown(field)} is not supported and has been ignored.")
        elif attribute.level > self.level and not attribute.also_above:
            self.warnings.append(
                f"The includefield {_shown(field)} is an attribute of a deeper level and has been ignored."
            )
        else:
            self.included_tags.add(attribute.tag)


_PLURAL = {Level.STUDY: "studies", Level.SERIES: "series", Level.INSTANCE: "instances"}


def _path_uid(text: str | None, name: str) -> str | None:
    return None if text is None else check_uid(text, name)


def _path_of(name: str) -> str | None:
    """Dotted path of tags of ``PatientName``, ``00100010`` or ``RequestAttributesSequence.00400009``.

    None where a component is neither eight hexadecimal digits nor a keyword of the table.
    """
    tags = [
        component.upper() if _HEX_TAG.match(component) else TAG_OF_KEYWORD.get(component)
        for component in name.split(".")
    ]
    return None if None in tags else ".".join(tag for tag in tags if tag)


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
