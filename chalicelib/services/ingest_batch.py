"""Ingests a batch of queue messages: converts all their objects concurrently, then publishes each study once."""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import unquote_plus

from chalicelib.errors import ServiceFaultError
from chalicelib.metrics import (
    ARRIVAL_TO_SEARCHABLE,
    CONVERSION_FAILURES,
    INSTANCES_PUBLISHED,
    INSTANCES_REJECTED,
    MAX_VALUES,
    PUBLICATION_FAILURES,
    Metric,
    Value,
    measured,
)
from chalicelib.ports import MessageQueue, ObjectVersion
from chalicelib.services.clock import utc_now

logger = logging.getLogger(__name__)

# The delay of a failed message quadruples with each reception: 30 s, 2, 8, 32 min. The first retries follow soon,
# for faults that pass quickly; the later ones outlast the restart or restore of a database.
_BACKOFF = 4
_LONGEST_RETRY_SECONDS = 3600

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the landing queue; `receive_count` includes this reception."""

    message_id: str
    receipt_handle: str
    body: str
    receive_count: int = 1


@dataclass(frozen=True, slots=True)
class Arrival:
    """A landing object, and when it arrived; None if the event does not say."""

    version: ObjectVersion
    arrived_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Converted:
    """Result of an arrival: the study that must be published, or None if the object was rejected."""

    arrival: Arrival
    study_instance_uid: str | None


class BatchFailedError(Exception):
    """Some messages of a batch failed and will be received again; the others were removed from the queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestBatch:
    """The use case.

    The queue hides a received message for several times the function's timeout (AWS advises six times). That is
    right while the message is being processed, and long for a message that has failed. With `retry_seconds`, a
    failed message is retried after this delay, which quadruples with each attempt.
    """

    convert: Callable[[ObjectVersion], str | None]
    publish: Callable[[str], bool]
    queue: MessageQueue
    executor: Executor
    retry_seconds: int | None = None
    now: Callable[[], datetime] = utc_now

    def ingest(self, messages: Sequence[Message]) -> None:
        """Process a batch.

        Raises
        ------
        BatchFailedError
            Some messages failed; the error names them. The others are deleted first, so the result is the same
            with and without partial batch responses of the event source.
        """
        converted = self._concurrently(self._convert, messages)
        studies = sorted({study for outcome in converted if outcome is not None for study in _studies(outcome)})
        published = dict(zip(studies, self._concurrently(self._publish, studies), strict=True))
        _log([each for outcome in converted if outcome for each in outcome], published, converted.count(None))
        failed = {
            message.message_id
            for message, outcome in zip(messages, converted, strict=True)
            if outcome is None or not all(published[study] for study in _studies(outcome))
        }
        if failed:
            self.queue.delete([message.receipt_handle for message in messages if message.message_id not in failed])
            self._retry_soon([message for message in messages if message.message_id in failed])
            raise BatchFailedError(f"{len(failed)} of {len(messages)} messages failed: {sorted(failed)}")

    def _retry_soon(self, messages: Sequence[Message]) -> None:
        if self.retry_seconds is None:
            return
        try:
            for message in messages:
                seconds = self.retry_seconds * _BACKOFF ** (message.receive_count - 1)
                self.queue.retry(message.receipt_handle, after_seconds=min(seconds, _LONGEST_RETRY_SECONDS))
        except ServiceFaultError:
            logger.warning("the failed messages are retried when their visibility timeout ends", exc_info=True)

    def _concurrently(self, function: Callable[[T], R], arguments: Sequence[T]) -> list[R]:
        """Call the function concurrently; results in order.

        Each call runs in a copy of this context, so that its log lines name the request.
        """
        contexts = [copy_context() for _ in arguments]
        calls = [context.run for context in contexts]
        return list(self.executor.map(lambda run, argument: run(function, argument), calls, arguments))

    def _convert(self, message: Message) -> list[_Converted] | None:
        """Convert the objects that a message names; None if a conversion failed."""
        try:
            return [_Converted(arrival, self.convert(arrival.version)) for arrival in landing_objects(message.body)]
        except Exception:  # any fault must lead to a redelivery of this message only
            logger.exception("conversion failed", extra={"message_id": message.message_id})
            return None

    def _publish(self, study_instance_uid: str) -> datetime | None:
        """Publish a study; returns when that was done, None if it failed."""
        try:
            self.publish(study_instance_uid)
        except Exception:  # as above
            logger.exception("publication failed", extra={"study_instance_uid": study_instance_uid})
            return None
        return self.now()


def _studies(converted: Iterable[_Converted]) -> set[str]:
    return {each.study_instance_uid for each in converted if each.study_instance_uid is not None}


def _log(converted: Sequence[_Converted], published: Mapping[str, datetime | None], failed_messages: int) -> None:
    """Log the batch and its measurements."""
    searchable = [
        (each.arrival, at)
        for each in converted
        if each.study_instance_uid is not None and (at := published[each.study_instance_uid]) is not None
    ]
    milliseconds = [
        max(0, round((at - arrival.arrived_at).total_seconds() * 1000))
        for arrival, at in searchable
        if arrival.arrived_at is not None
    ]
    values: dict[Metric, Value] = {
        INSTANCES_PUBLISHED: len(searchable),
        INSTANCES_REJECTED: sum(each.study_instance_uid is None for each in converted),
        CONVERSION_FAILURES: failed_messages,
        PUBLICATION_FAILURES: list(published.values()).count(None),
    }
    if milliseconds:
        values[ARRIVAL_TO_SEARCHABLE] = milliseconds[:MAX_VALUES]
    logger.info("batch ingested", extra=measured(values))
    for start in range(MAX_VALUES, len(milliseconds), MAX_VALUES):
        rest = milliseconds[start : start + MAX_VALUES]
        logger.info("batch ingested, continued", extra=measured({ARRIVAL_TO_SEARCHABLE: rest}))


def landing_objects(body: str) -> Iterator[Arrival]:
    """Objects that a message names: those of an S3 event notification, none for the test message of S3.

    Raises
    ------
    ValueError
        The body is neither; the message belongs in the dead-letter queue.
    """
    event = json.loads(body)
    if not isinstance(event, Mapping):
        raise ValueError("the message is not an S3 event notification")
    if event.get("Event") == "s3:TestEvent":
        return iter(())
    return iter([_arrival(record) for record in _records(event)])


def _records(event: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    records = event.get("Records")
    if not isinstance(records, list):
        raise ValueError("the message is not an S3 event notification")
    return records


def _arrival(record: Mapping[str, Any]) -> Arrival:
    try:
        s3 = record["s3"]
        # Keys are form-encoded in events.
        key = unquote_plus(s3["object"]["key"])
        version = ObjectVersion(s3["bucket"]["name"], key, s3["object"].get("versionId"))
        return Arrival(version, _time(record.get("eventTime")))
    except (KeyError, TypeError) as error:
        raise ValueError("the message is not an S3 event notification") from error


def _time(text: object) -> datetime | None:
    """Parse a time with its zone; None if it is not valid. It is used for a metric only, so no event fails for it."""
    try:
        parsed = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return parsed if parsed.tzinfo else None
