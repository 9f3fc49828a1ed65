import json
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.errors import ServiceFaultError
from chalicelib.json_logging import request_id
from chalicelib.metrics import as_fields
from chalicelib.ports import ObjectVersion
from chalicelib.services.ingest_batch import BatchFailedError, IngestBatch, Message, landing_objects


def event(*keys: str, version: str | None = "v1", at: str | None = None) -> str:
    records = [
        {
            **({} if at is None else {"eventTime": at}),
            "s3": {
                "bucket": {"name": "landing"},
                "object": {"key": key, **({"versionId": version} if version else {})},
            },
        }
        for key in keys
    ]
    return json.dumps({"Records": records})


class Recorder:
    """Converts by a table: the study of a key, or the error it raises."""

    def __init__(self, outcomes: dict[str, str | Exception | None], failing_study: str = "") -> None:
        self.outcomes = outcomes
        self.failing_study = failing_study
        self.published: list[str] = []
        self.deleted: list[str] = []
        self.retried: dict[str, int] = {}
        self.retry_seconds: int | None = None
        self.retry_fails = False
        self.now = lambda: datetime.now(UTC)

    def convert(self, landing: ObjectVersion) -> str | None:
        outcome = self.outcomes[landing.key]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def publish(self, study: str) -> bool:
        self.published.append(study)
        if study == self.failing_study:
            raise ServiceFaultError("database down")
        return True

    def delete(self, receipt_handles: list[str]) -> None:
        self.deleted += receipt_handles

    def retry(self, receipt_handle: str, *, after_seconds: int) -> None:
        if self.retry_fails:
            raise ServiceFaultError("SQS failed")
        self.retried[receipt_handle] = after_seconds

    def ingest(self, *bodies: str, receive_count: int = 1) -> None:
        with ThreadPoolExecutor(4) as executor:
            IngestBatch(
                convert=self.convert,
                publish=self.publish,
                queue=self,
                executor=executor,
                now=lambda: self.now(),
                retry_seconds=self.retry_seconds,
            ).ingest([Message(f"m{n}", f"r{n}", body, receive_count) for n, body in enumerate(bodies)])


def test_a_batch_publishes_each_study_once() -> None:
    recorder = Recorder({"a": "1.1", "b": "1.2", "c": "1.1", "bad": None})
    recorder.ingest(event("a"), event("b"), event("c"), event("bad"))
    assert sorted(recorder.published) == ["1.1", "1.2"]
    assert recorder.deleted == []


def test_where_some_fail_the_good_ones_are_deleted_and_the_batch_raises() -> None:
    recorder = Recorder({"a": "1.1", "b": ServiceFaultError("throttled"), "c": "1.2"})
    with pytest.raises(BatchFailedError, match="m1"):
        recorder.ingest(event("a"), event("b"), event("c"))
    assert recorder.deleted == ["r0", "r2"]
    assert recorder.retried == {}
    assert sorted(recorder.published) == ["1.1", "1.2"]


@pytest.mark.parametrize(("receive_count", "seconds"), [(1, 30), (2, 120), (3, 480), (4, 1920), (5, 3600)])
def test_the_delay_of_a_failed_message_grows_with_each_attempt(receive_count: int, seconds: int) -> None:
    recorder = Recorder({"a": "1.1", "b": ServiceFaultError("throttled")})
    recorder.retry_seconds = 30
    with pytest.raises(BatchFailedError):
        recorder.ingest(event("a"), event("b"), receive_count=receive_count)
    assert recorder.retried == {"r1": seconds}


def test_a_failure_is_reported_even_if_its_delay_cannot_be_set() -> None:
    recorder = Recorder({"a": "1.1", "b": ServiceFaultError("throttled")})
    recorder.retry_seconds, recorder.retry_fails = 30, True
    with pytest.raises(BatchFailedError, match="m1"):
        recorder.ingest(event("a"), event("b"))
    assert recorder.deleted == ["r0"]


def test_messages_of_a_study_that_could_not_be_published_come_again() -> None:
    recorder = Recorder({"a": "1.1", "b": "1.2"}, failing_study="1.1")
    with pytest.raises(BatchFailedError, match="m0"):
        recorder.ingest(event("a"), event("b"))
    assert recorder.deleted == ["r1"]


@pytest.mark.parametrize("body", ["no JSON", "[]", '{"Records": 1}', '{"Records": [{"s3": {}}]}', "{}"])
def test_a_message_that_is_no_event_fails_alone(body: str) -> None:
    recorder = Recorder({"a": "1.1"})
    with pytest.raises(BatchFailedError, match="m1"):
        recorder.ingest(event("a"), body)
    assert recorder.deleted == ["r0"]


def test_log_lines_of_a_conversion_name_the_request() -> None:
    seen = []
    recorder = Recorder({"a": "1.1"})
    convert = recorder.convert
    recorder.convert = lambda landing: seen.append(request_id.get()) or convert(landing)  # type: ignore[assignment,func-returns-value,method-assign]
    token = request_id.set("request-1")
    try:
        recorder.ingest(event("a"), event("a"))
    finally:
        request_id.reset(token)
    assert seen == ["request-1", "request-1"]


def test_the_test_message_that_s3_sends_is_no_fault() -> None:
    Recorder({}).ingest(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"}))


def test_keys_are_decoded_as_s3_encodes_them() -> None:
    [arrival] = landing_objects(event("a+b%2Bc/%E5%B1%B1.dcm"))
    assert arrival.version == ObjectVersion("landing", "a b+c/山.dcm", "v1")
    [arrival] = landing_objects(event("k", version=None))
    assert arrival.version == ObjectVersion("landing", "k", None)


def measurements(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [as_fields(record.measurements) for record in caplog.records if hasattr(record, "measurements")]


def test_a_batch_measures_what_became_of_its_objects(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    recorder = Recorder(
        {"a": "1.1", "b": "1.2", "c": "1.1", "bad": None, "down": ServiceFaultError("throttled")}, "1.2"
    )
    recorder.now = lambda: datetime(2026, 1, 31, 12, 0, 2, 500_000, UTC)
    with pytest.raises(BatchFailedError):
        recorder.ingest(
            event("a", "bad", at="2026-01-31T12:00:00.000Z"),
            event("b", at="2026-01-31T12:00:00.000Z"),
            event("c", at="2026-01-31T12:00:01.250Z"),
            event("down"),
        )
    assert measurements(caplog) == [
        {
            "InstancesPublished": 2,
            "InstancesRejected": 1,
            "ConversionFailures": 1,
            "PublicationFailures": 1,
            "ArrivalToSearchableMilliseconds": [2500, 1250],
        }
    ]


@pytest.mark.parametrize("at", ["", "yesterday", "2026-01-31T12:00:00", "2026-13-31T12:00:00Z"])
def test_an_event_whose_time_makes_no_sense_is_ingested_and_not_measured(
    at: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    recorder = Recorder({"a": "1.1"})
    recorder.ingest(event("a", at=at))
    assert recorder.published == ["1.1"]
    [measured] = measurements(caplog)
    assert measured["InstancesPublished"] == 1
    assert "ArrivalToSearchableMilliseconds" not in measured


def test_a_clock_that_is_ahead_of_ours_gives_no_negative_time(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    recorder = Recorder({"a": "1.1"})
    recorder.now = lambda: datetime(2026, 1, 31, 12, 0, 0, 0, UTC)
    recorder.ingest(event("a", at="2026-01-31T12:00:01.000Z"))
    assert measurements(caplog)[0]["ArrivalToSearchableMilliseconds"] == [0]


def test_the_time_until_an_instance_can_be_found_is_measured_by_the_clock(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    recorder = Recorder({"a": "1.1"})
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    with ThreadPoolExecutor(1) as executor:
        batch = IngestBatch(convert=recorder.convert, publish=recorder.publish, queue=recorder, executor=executor)
        batch.ingest([Message("m", "r", event("a", at=an_hour_ago.isoformat()), 1)])
    [milliseconds] = measurements(caplog)[0]["ArrivalToSearchableMilliseconds"]
    assert 3_600_000 <= milliseconds < 3_700_000


def test_more_arrivals_than_a_line_may_hold_are_measured_in_several(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    recorder = Recorder({str(number): "1.1" for number in range(230)})
    recorder.now = lambda: datetime(2026, 1, 31, 12, 0, 1, 0, UTC)
    recorder.ingest(event(*(str(number) for number in range(230)), at="2026-01-31T12:00:00.000Z"))
    values = [fields["ArrivalToSearchableMilliseconds"] for fields in measurements(caplog)]
    assert values == [[1000] * 100, [1000] * 100, [1000] * 30]
    assert measurements(caplog)[0]["InstancesPublished"] == 230
