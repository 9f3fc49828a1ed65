"""What the archive measures: the one table, and measurements as fields of log lines; knows no service.

Strategy: whoever measures gives its figures to the log line that it writes anyway (`extra=measured(...)`).
`json_logging` makes of them a line in CloudWatch's embedded metric format, from which CloudWatch Logs takes
the metrics: no call, no thread and no permission is needed, in Lambda and behind ECS's ``awslogs`` alike.
Neither UIDs nor anything of a patient may become a dimension; `Resource` is one of `RESOURCES`.

Powertools for AWS Lambda and aws-embedded-metrics were measured (November 2026) and not taken. The first
adds 22 ms to a start of 200 ms and 8 MB to the package, keeps the metrics of a process in one place, which
the threads of a batch would share, and gives all metrics of a line the same dimensions; the second imports
aiohttp: 260 ms and 14 MB. What is needed of the format is the few lines of `envelope`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

NAMESPACE = "StaticDicomweb"

ARCHIVE = "Archive"
"""Dimension of every metric: the deployment's name (ARCHIVE_NAME)."""

RESOURCE = "Resource"
"""Dimension of the requests' metrics: one of `RESOURCES`."""

MAX_VALUES = 100
"""An array of values may hold so many (embedded metric format, "Metric values")."""

_OF_ARCHIVE = ((ARCHIVE,),)
# Of all resources together, which an alarm watches, and of each.
_OF_RESOURCE = ((ARCHIVE,), (ARCHIVE, RESOURCE))

Value = float | Sequence[float]


class Resource(StrEnum):
    """What a request asks for; the values of the dimension of that name."""

    STUDY_SEARCH = "StudySearch"
    SERIES_SEARCH = "SeriesSearch"
    INSTANCE_SEARCH = "InstanceSearch"
    METADATA = "Metadata"
    INSTANCE = "Instance"
    FRAMES = "Frames"
    BULK_DATA = "BulkData"
    NOT_IMPLEMENTED = "NotImplemented"
    STORE = "Store"


RESOURCES = tuple(resource.value for resource in Resource)


class Unit(StrEnum):
    """Units as CloudWatch names them."""

    COUNT = "Count"
    MILLISECONDS = "Milliseconds"
    BYTES = "Bytes"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; `dimension_sets` are the combinations of dimensions that it is kept under."""

    name: str
    unit: Unit
    dimension_sets: tuple[tuple[str, ...], ...]
    meaning: str


INSTANCES_PUBLISHED = Metric(
    "InstancesPublished",
    Unit.COUNT,
    _OF_ARCHIVE,
    "landing objects whose instance search shows now; an event that comes twice counts twice",
)
INSTANCES_REJECTED = Metric(
    "InstancesRejected", Unit.COUNT, _OF_ARCHIVE, "landing objects that can never be published; the reason is recorded"
)
ARRIVAL_TO_SEARCHABLE = Metric(
    "ArrivalToSearchableMilliseconds",
    Unit.MILLISECONDS,
    _OF_ARCHIVE,
    "from the time that S3's event names to the publication, one value for each landing object",
)
CONVERSION_FAILURES = Metric(
    "ConversionFailures", Unit.COUNT, _OF_ARCHIVE, "messages whose conversion failed; they come again"
)
PUBLICATION_FAILURES = Metric(
    "PublicationFailures", Unit.COUNT, _OF_ARCHIVE, "studies whose publication failed; their messages come again"
)
REQUEST_MILLISECONDS = Metric(
    "RequestMilliseconds", Unit.MILLISECONDS, _OF_RESOURCE, "time that the API function took for a request"
)
REQUEST_ERRORS = Metric(
    "RequestErrors",
    Unit.COUNT,
    _OF_RESOURCE,
    "1 for a request answered 5xx other than 501, 0 for every other, so that the average is the rate; API and store",
)
INSTANCES_STORED = Metric("InstancesStored", Unit.COUNT, _OF_ARCHIVE, "instances that a STOW-RS answer calls stored")
INSTANCES_NOT_STORED = Metric(
    "InstancesNotStored", Unit.COUNT, _OF_ARCHIVE, "instances that a STOW-RS answer calls failed"
)
STORED_BYTES = Metric("StoredBytes", Unit.BYTES, _OF_ARCHIVE, "size of the instances that an answer calls stored")
STORE_REQUEST_MILLISECONDS = Metric(
    "StoreRequestMilliseconds", Unit.MILLISECONDS, _OF_ARCHIVE, "time of a STOW-RS request, its upload included"
)

METRICS = (
    INSTANCES_PUBLISHED,
    INSTANCES_REJECTED,
    ARRIVAL_TO_SEARCHABLE,
    CONVERSION_FAILURES,
    PUBLICATION_FAILURES,
    REQUEST_MILLISECONDS,
    REQUEST_ERRORS,
    INSTANCES_STORED,
    INSTANCES_NOT_STORED,
    STORED_BYTES,
    STORE_REQUEST_MILLISECONDS,
)
"""The table."""


@dataclass(frozen=True, slots=True)
class Measurements:
    """What one log line measured."""

    values: Mapping[Metric, Value]
    resource: Resource | None = None


def measured(values: Mapping[Metric, Value], resource: Resource | None = None, **fields: object) -> dict[str, object]:
    """For ``extra=`` of a log call: measurements, beside the line's other fields.

    Raises
    ------
    ValueError
        A metric has the dimension `Resource` and none is given, or one has more than `MAX_VALUES` values.
    """
    for metric, value in values.items():
        if resource is None and metric.dimension_sets == _OF_RESOURCE:
            raise ValueError(f"{metric.name} needs its resource")
        if isinstance(value, Sequence) and not 0 < len(value) <= MAX_VALUES:
            raise ValueError(f"{metric.name} has {len(value)} values")
    return {**fields, "measurements": Measurements(values, resource)}


def is_error(status: int) -> int:
    """Value of `REQUEST_ERRORS`: 501 says what the archive does not do, and is no fault."""
    return int(status >= 500 and status != 501)


def as_fields(measurements: Measurements) -> dict[str, object]:
    """The measurements as plain fields of a log line."""
    fields: dict[str, object] = {metric.name: value for metric, value in measurements.values.items()}
    if measurements.resource is not None:
        fields[RESOURCE] = measurements.resource.value
    return fields


def envelope(measurements: Measurements, *, archive: str, timestamp_milliseconds: int) -> dict[str, object]:
    """The fields that make a log line one of the embedded metric format, beside `as_fields`.

    Source: "Specification: Embedded metric format", Amazon CloudWatch User Guide.
    """
    directives: dict[tuple[tuple[str, ...], ...], list[dict[str, str]]] = {}
    for metric in measurements.values:
        definition = {"Name": metric.name, "Unit": metric.unit.value}
        directives.setdefault(metric.dimension_sets, []).append(definition)
    return {
        ARCHIVE: archive,
        "_aws": {
            "Timestamp": timestamp_milliseconds,
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [list(dimensions) for dimensions in dimension_sets],
                    "Metrics": definitions,
                }
                for dimension_sets, definitions in directives.items()
            ],
        },
    }
