"""The table of the archive's metrics, and measurements as fields of log lines.

Strategy: code that measures adds the figures to a log line that it writes anyway (`extra=measured(...)`).
`json_logging` turns this line into one in CloudWatch's embedded metric format, from which CloudWatch Logs extracts
the metrics. That needs no call, no thread and no permission, both in Lambda and with the ``awslogs`` driver of ECS.
Neither a UID nor patient data may become a dimension; `Resource` is one of `RESOURCES`.

Powertools for AWS Lambda and aws-embedded-metrics were measured (November 2026) and are not used. The first
adds 22 ms to a start of 200 ms and 8 MB to the package, keeps all metrics of a process in one place, which
the threads of a batch would share, and gives all metrics of a line the same dimensions. The second imports
aiohttp: 260 ms and 14 MB. The part of the format that the archive needs is the few lines of `embedded_metric_fields`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

NAMESPACE = "StaticDicomweb"

ARCHIVE = "Archive"
"""Dimension of every metric: the deployment's name (ARCHIVE_NAME)."""

RESOURCE = "Resource"
"""Dimension of the metrics of requests; its value is one of `RESOURCES`."""

MAX_VALUES = 100
"""Largest number of values in an array (embedded metric format, "Metric values")."""

_OF_ARCHIVE = ((ARCHIVE,),)
# Once for all resources together, which an alarm watches, and once for each resource.
_OF_RESOURCE = ((ARCHIVE,), (ARCHIVE, RESOURCE))

Value = float | Sequence[float]


class Resource(StrEnum):
    """Kind of resource that a request asks for: the values of the dimension `RESOURCE`."""

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
    """One metric; CloudWatch keeps it once for each of `dimension_sets`, which are combinations of dimensions."""

    name: str
    unit: Unit
    dimension_sets: tuple[tuple[str, ...], ...]
    meaning: str


INSTANCES_PUBLISHED = Metric(
    "InstancesPublished",
    Unit.COUNT,
    _OF_ARCHIVE,
    "landing objects whose instance can now be found by search; an event that is delivered twice counts twice",
)
INSTANCES_REJECTED = Metric(
    "InstancesRejected",
    Unit.COUNT,
    _OF_ARCHIVE,
    "landing objects that can never be published; the rejections table holds the reason",
)
ARRIVAL_TO_SEARCHABLE = Metric(
    "ArrivalToSearchableMilliseconds",
    Unit.MILLISECONDS,
    _OF_ARCHIVE,
    "from the time in the S3 event to the publication; one value for each landing object",
)
CONVERSION_FAILURES = Metric(
    "ConversionFailures", Unit.COUNT, _OF_ARCHIVE, "messages whose conversion failed; they are retried"
)
PUBLICATION_FAILURES = Metric(
    "PublicationFailures", Unit.COUNT, _OF_ARCHIVE, "studies whose publication failed; their messages are retried"
)
REQUEST_MILLISECONDS = Metric(
    "RequestMilliseconds", Unit.MILLISECONDS, _OF_RESOURCE, "time that the API function took for a request"
)
REQUEST_ERRORS = Metric(
    "RequestErrors",
    Unit.COUNT,
    _OF_RESOURCE,
    "1 for a request that is answered with 5xx except 501, else 0, so that the average is the rate; API and store",
)
INSTANCES_STORED = Metric(
    "InstancesStored", Unit.COUNT, _OF_ARCHIVE, "instances that a STOW-RS response reports as stored"
)
INSTANCES_NOT_STORED = Metric(
    "InstancesNotStored", Unit.COUNT, _OF_ARCHIVE, "instances that a STOW-RS response reports as failed"
)
STORED_BYTES = Metric("StoredBytes", Unit.BYTES, _OF_ARCHIVE, "size of the instances that a response reports as stored")
STORE_REQUEST_MILLISECONDS = Metric(
    "StoreRequestMilliseconds", Unit.MILLISECONDS, _OF_ARCHIVE, "time of a STOW-RS request, including its upload"
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
"""All metrics, in the order of the table."""


@dataclass(frozen=True, slots=True)
class Measurements:
    """The measurements of one log line."""

    values: Mapping[Metric, Value]
    resource: Resource | None = None


def measured(values: Mapping[Metric, Value], resource: Resource | None = None, **fields: object) -> dict[str, object]:
    """The ``extra=`` of a log call: measurements together with the other fields of the line.

    Raises
    ------
    ValueError
        A metric needs a resource and `resource` is None, or a metric has no values or more than `MAX_VALUES`.
    """
    for metric, value in values.items():
        if resource is None and metric.dimension_sets == _OF_RESOURCE:
            raise ValueError(f"{metric.name} needs a resource")
        if isinstance(value, Sequence) and not 0 < len(value) <= MAX_VALUES:
            raise ValueError(f"{metric.name} has {len(value)} values, not 1 to {MAX_VALUES}")
    return {**fields, "measurements": Measurements(values, resource)}


def is_error(status: int) -> int:
    """Value of `REQUEST_ERRORS`, 0 or 1. Status 501 names a resource that is not supported, which is not a fault."""
    return int(status >= 500 and status != 501)


def as_fields(measurements: Measurements) -> dict[str, object]:
    """The measurements as plain fields of a log line."""
    fields: dict[str, object] = {metric.name: value for metric, value in measurements.values.items()}
    if measurements.resource is not None:
        fields[RESOURCE] = measurements.resource.value
    return fields


def embedded_metric_fields(
    measurements: Measurements, *, archive: str, timestamp_milliseconds: int
) -> dict[str, object]:
    """Fields that, together with `as_fields`, turn a log line into one in the embedded metric format.

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
