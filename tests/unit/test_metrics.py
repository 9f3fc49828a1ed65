"""The table of metrics, and log lines in CloudWatch's embedded metric format."""

import ast
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from cdk.project import PROJECT
from chalicelib import metrics
from chalicelib.json_logging import formatter
from chalicelib.metrics import (
    ARRIVAL_TO_SEARCHABLE,
    INSTANCES_PUBLISHED,
    METRICS,
    REQUEST_ERRORS,
    REQUEST_MILLISECONDS,
    Metric,
    Resource,
    measured,
)

EMITTERS = [
    path
    for directory in ("chalicelib", "stow_nlb")
    for path in (PROJECT / directory).rglob("*.py")
    if path.name != "metrics.py"
]


def line(extra: dict[str, object], archive: str | None = "static-dicomweb") -> dict[str, Any]:
    """The line that the process writes for a log call with this extra, 1.5 s after the epoch."""
    record = logging.LogRecord("test", logging.INFO, "file", 1, "done", (), None)
    record.__dict__.update(extra, created=1.5)
    text = formatter(archive).format(record)
    assert "\n" not in text
    return json.loads(text)


def test_a_measured_line_is_in_the_embedded_metric_format() -> None:
    extra = measured({INSTANCES_PUBLISHED: 2, ARRIVAL_TO_SEARCHABLE: [1200, 80]}, batch=7)
    assert line(extra) == {
        "level": "INFO",
        "logger": "test",
        "message": "done",
        "timestamp": "1970-01-01T00:00:01.500000+00:00",
        "batch": 7,
        "Archive": "static-dicomweb",
        "InstancesPublished": 2,
        "ArrivalToSearchableMilliseconds": [1200, 80],
        "_aws": {
            "Timestamp": 1500,
            "CloudWatchMetrics": [
                {
                    "Namespace": "StaticDicomweb",
                    "Dimensions": [["Archive"]],
                    "Metrics": [
                        {"Name": "InstancesPublished", "Unit": "Count"},
                        {"Name": "ArrivalToSearchableMilliseconds", "Unit": "Milliseconds"},
                    ],
                }
            ],
        },
    }


def test_a_request_is_measured_for_all_resources_and_for_its_own() -> None:
    fields = line(measured({REQUEST_MILLISECONDS: 12.5, REQUEST_ERRORS: 0, INSTANCES_PUBLISHED: 1}, Resource.FRAMES))
    assert fields["Resource"] == "Frames"
    assert fields["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "StaticDicomweb",
            "Dimensions": [["Archive"], ["Archive", "Resource"]],
            "Metrics": [
                {"Name": "RequestMilliseconds", "Unit": "Milliseconds"},
                {"Name": "RequestErrors", "Unit": "Count"},
            ],
        },
        {
            "Namespace": "StaticDicomweb",
            "Dimensions": [["Archive"]],
            "Metrics": [{"Name": "InstancesPublished", "Unit": "Count"}],
        },
    ]


def test_without_a_name_of_the_archive_measurements_are_fields_and_no_metrics() -> None:
    assert line(measured({REQUEST_ERRORS: 1}, Resource.STORE), archive=None) == {
        "level": "INFO",
        "logger": "test",
        "message": "done",
        "timestamp": "1970-01-01T00:00:01.500000+00:00",
        "Resource": "Store",
        "RequestErrors": 1,
    }


def test_a_line_without_measurements_is_no_metric() -> None:
    assert set(line({})) == {"level", "logger", "message", "timestamp"}


def test_a_metric_of_resources_needs_one() -> None:
    with pytest.raises(ValueError, match="RequestErrors needs a resource"):
        measured({REQUEST_ERRORS: 1})


@pytest.mark.parametrize("values", [[], [1.0] * 101])
def test_no_line_has_an_array_that_cloudwatch_refuses(values: list[float]) -> None:
    with pytest.raises(ValueError, match="ArrivalToSearchableMilliseconds has"):
        measured({ARRIVAL_TO_SEARCHABLE: values})


def test_every_metric_is_a_different_row_of_the_table() -> None:
    rows = [value for value in vars(metrics).values() if isinstance(value, Metric)]
    assert list(METRICS) == rows
    assert len({metric.name for metric in METRICS}) == len(METRICS) == 11


def test_dimensions_are_the_archive_and_a_closed_set_of_resources() -> None:
    assert {name for metric in METRICS for names in metric.dimension_sets for name in names} == {"Archive", "Resource"}


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_of_the_table_is_measured_somewhere(metric: Metric) -> None:
    [constant] = [name for name, value in vars(metrics).items() if value is metric]
    assert [path for path in EMITTERS if constant in _names(path)]


def test_only_the_table_makes_metrics() -> None:
    assert [path for path in EMITTERS if "Metric(" in path.read_text(encoding="utf-8")] == []


def _names(path: Path) -> set[str]:
    """Names that a module uses, except in imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
