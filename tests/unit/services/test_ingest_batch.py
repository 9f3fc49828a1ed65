import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.errors import ServiceFaultError
from chalicelib.json_logging import request_id
from chalicelib.ports import ObjectVersion
from chalicelib.services.ingest_batch import BatchFailedError, IngestBatch, Message, landing_objects


def event(*keys: str, version: str | None = "v1") -> str:
    records = [
        {
            "s3": {
                "bucket": {"name": "landing"},
                "object": {"key": key, **({"versionId": version} if version else {})},
            }
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

    def ingest(self, *bodies: str) -> None:
        with ThreadPoolExecutor(4) as executor:
            IngestBatch(convert=self.convert, publish=self.publish, queue=self, executor=executor).ingest(
                [Message(f"m{number}", f"r{number}", body) for number, body in enumerate(bodies)]
            )


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
    assert sorted(recorder.published) == ["1.1", "1.2"]


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
    assert list(landing_objects(event("a+b%2Bc/%E5%B1%B1.dcm"))) == [ObjectVersion("landing", "a b+c/山.dcm", "v1")]
    assert list(landing_objects(event("k", version=None))) == [ObjectVersion("landing", "k", None)]
