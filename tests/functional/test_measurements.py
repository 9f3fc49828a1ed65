"""The log lines and metrics of requests, batches and stores, which contain nothing about a patient."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.entrypoints.request_log import RESOURCE_OF_TEMPLATE
from chalicelib.errors import ServiceFaultError
from chalicelib.json_logging import formatter
from tests.functional.api_requests import INSTANCE, SEARCH_EVENT
from tests.support.archive import Archive
from tests.support.builders import NAMES, make_instance
from tests.support.stow_server import FailingLanding, instance_bytes, multipart, running


class Log:
    """The lines of the process, as it writes them."""

    def __init__(self) -> None:
        self._stream = StringIO()
        self.handler = logging.StreamHandler(self._stream)
        self.handler.setFormatter(formatter("test"))

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    def measured(self) -> list[dict[str, Any]]:
        """The lines that are metrics."""
        return [line for line in map(json.loads, self.text.splitlines()) if "_aws" in line]


@pytest.fixture
def log() -> Iterator[Log]:
    made = Log()
    root = logging.getLogger()
    level = root.level
    root.addHandler(made.handler)
    root.setLevel(logging.INFO)
    yield made
    root.removeHandler(made.handler)
    root.setLevel(level)


def names(line: dict[str, Any]) -> set[str]:
    return {metric["Name"] for directive in line["_aws"]["CloudWatchMetrics"] for metric in directive["Metrics"]}


@pytest.mark.parametrize(
    ("path", "resource", "template", "status", "errors"),
    [
        ("/dicomweb/studies?PatientName=DOE*", "StudySearch", "/dicomweb/studies", 204, 0),
        ("/dicomweb/studies?limit=-1", "StudySearch", "/dicomweb/studies", 400, 0),
        ("/dicomweb/studies/1.2/metadata", "Metadata", "/dicomweb/studies/{study_instance_uid}/metadata", 404, 0),
        (
            "/dicomweb/studies/1.2/rendered",
            "NotImplemented",
            "/dicomweb/studies/{study_instance_uid}/rendered",
            501,
            0,
        ),
    ],
)
def test_a_request_writes_one_line_without_anything_of_its_url(
    archive: Archive, client: Client, log: Log, path: str, resource: str, template: str, status: int, errors: int
) -> None:
    client.http.get(path, headers={"Accept": "application/dicom+json"})
    [line] = log.measured()
    assert line["message"] == "request"
    assert line["method"] == "GET"
    assert line["Resource"] == resource
    assert line["template"] == template
    assert line["status"] == status
    assert line["RequestErrors"] == errors
    assert 0 <= line["RequestMilliseconds"] < 60_000
    assert names(line) == {"RequestMilliseconds", "RequestErrors"}
    assert "DOE" not in log.text
    assert "1.2/" not in log.text


def test_a_fault_of_ours_is_an_error(
    archive: Archive, client: Client, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ServiceFaultError("the index is not available")

    monkeypatch.setattr(archive.index, "search", fail)
    client.http.get("/dicomweb/series")
    [line] = log.measured()
    assert (line["Resource"], line["status"], line["RequestErrors"]) == ("SeriesSearch", 503, 1)


def test_a_request_is_named_by_lambdas_id_of_it(archive: Archive, caplog: pytest.LogCaptureFixture) -> None:
    class Context:
        aws_request_id = "request-1"

    configured = logging.getLogger().handlers
    seen: list[str] = []
    for handler in configured:
        for log_filter in handler.filters:
            caplog.handler.addFilter(log_filter)
    caplog.set_level(logging.INFO)
    app(SEARCH_EVENT, Context())
    seen = [getattr(record, "request_id", "") for record in caplog.records if record.message == "request"]
    assert seen == ["request-1"]


def test_every_route_is_measured_under_its_resource() -> None:
    templates = {template for template, methods in app.routes.items() if "not_implemented" not in _views(methods)}
    assert set(RESOURCE_OF_TEMPLATE) == templates


def _views(methods: dict[str, Any]) -> set[str]:
    return {entry.view_function.__name__ for entry in methods.values()}


def test_a_batch_measures_what_it_published(archive: Archive, client: Client, log: Log) -> None:
    good = archive.objects.land("good", make_instance(**NAMES, PatientName="Doe^Jane"))
    bad = archive.objects.land("bad", b"no DICOM")
    arrived = datetime.now(UTC) - timedelta(seconds=5)
    records = [
        {
            "eventTime": arrived.isoformat().replace("+00:00", "Z"),
            "s3": {"bucket": {"name": "landing"}, "object": {"key": version.key, "versionId": version.version_id}},
        }
        for version in (good, bad)
    ]
    client.lambda_.invoke("convert", client.events.generate_sqs_event([json.dumps({"Records": records})], "landing"))
    [line] = log.measured()
    assert line["InstancesPublished"] == 1
    assert line["InstancesRejected"] == 1
    assert line["ConversionFailures"] == 0
    assert line["PublicationFailures"] == 0
    [milliseconds] = line["ArrivalToSearchableMilliseconds"]
    assert 5_000 <= milliseconds < 65_000
    assert names(line) == {
        "InstancesPublished",
        "InstancesRejected",
        "ConversionFailures",
        "PublicationFailures",
        "ArrivalToSearchableMilliseconds",
    }
    assert "Doe" not in log.text
    assert client.http.get(f"{INSTANCE}/metadata").status_code == 200


def test_a_store_request_measures_what_it_stored(log: Log) -> None:
    instances = [instance_bytes(sop="1.2.3.4.5"), instance_bytes(sop="1.2.3.4.6", pixels=b"\1" * 4096)]
    with running() as server:
        assert server.post(multipart(*instances, b"no DICOM")).status == 202
    [line] = log.measured()
    assert line["message"] == "store request"
    assert line["status"] == 202
    assert line["InstancesStored"] == 2
    assert line["InstancesNotStored"] == 1
    assert line["StoredBytes"] == len(instances[0]) + len(instances[1])
    assert line["RequestErrors"] == 0
    assert line["Resource"] == "Store"
    assert 0 < line["StoreRequestMilliseconds"] < 60_000
    assert names(line) == {
        "InstancesStored",
        "InstancesNotStored",
        "StoredBytes",
        "StoreRequestMilliseconds",
        "RequestErrors",
    }
    assert "Doe" not in log.text


def test_a_store_request_that_fails_is_measured_too(log: Log) -> None:
    with running(FailingLanding(ServiceFaultError("S3 failed"))) as server:
        assert server.post(multipart(instance_bytes())).status == 503
        assert server.post(b"", path="/nowhere").status == 404
    [line] = log.measured()
    assert (line["status"], line["RequestErrors"], line["InstancesStored"], line["StoredBytes"]) == (503, 1, 0, 0)
