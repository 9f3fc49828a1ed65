"""Ingests a batch of queue messages: converts all their objects at once, then publishes each study once."""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote_plus

from chalicelib.ports import MessageQueue, ObjectVersion

logger = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the landing queue."""

    message_id: str
    receipt_handle: str
    body: str


class BatchFailedError(Exception):
    """Some messages of a batch failed; the others are off the queue, these come again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestBatch:
    """The use case."""

    convert: Callable[[ObjectVersion], str | None]
    publish: Callable[[str], bool]
    queue: MessageQueue
    executor: Executor

    def ingest(self, messages: Sequence[Message]) -> None:
        """Process a batch.

        Raises
        ------
        BatchFailedError
            Naming the messages that failed. Those that did not are deleted first: this is right with
            and without partial batch responses of the event source.
        """
        converted = self._at_once(self._convert, messages)
        studies = {study for outcome in converted if outcome is not None for study in outcome}
        published = dict(zip(sorted(studies), self._at_once(self._publish, sorted(studies)), strict=True))
        failed = {
            message.message_id
            for message, outcome in zip(messages, converted, strict=True)
            if outcome is None or not all(published[study] for study in outcome)
        }
        if failed:
            self.queue.delete([message.receipt_handle for message in messages if message.message_id not in failed])
            raise BatchFailedError(f"{len(failed)} of {len(messages)} messages failed: {sorted(failed)}")

    def _at_once(self, function: Callable[[T], R], arguments: Sequence[T]) -> list[R]:
        """Results in order; each call runs in a copy of our context, so that its log lines name the request."""
        contexts = [copy_context() for _ in arguments]
        calls = [context.run for context in contexts]
        return list(self.executor.map(lambda run, argument: run(function, argument), calls, arguments))

    def _convert(self, message: Message) -> set[str] | None:
        """Studies that are due, or None where something failed."""
        try:
            studies = [self.convert(version) for version in landing_objects(message.body)]
        except Exception:  # any fault must end in redelivery of this message, and of no other
            logger.exception("conversion failed", extra={"message_id": message.message_id})
            return None
        return {study for study in studies if study is not None}

    def _publish(self, study_instance_uid: str) -> bool:
        try:
            self.publish(study_instance_uid)
        except Exception:  # as above
            logger.exception("publication failed", extra={"study_instance_uid": study_instance_uid})
            return False
        return True


def landing_objects(body: str) -> Iterator[ObjectVersion]:
    """Object versions that a message tells of: an S3 event notification, or S3's test message.

    Raises
    ------
    ValueError
        The body is neither; the message belongs into the dead-letter queue.
    """
    event = json.loads(body)
    if not isinstance(event, Mapping):
        raise ValueError("the message is no S3 event")
    if event.get("Event") == "s3:TestEvent":
        return iter(())
    return iter([_version(record) for record in _records(event)])


def _records(event: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    records = event.get("Records")
    if not isinstance(records, list):
        raise ValueError("the message is no S3 event")
    return records


def _version(record: Mapping[str, Any]) -> ObjectVersion:
    try:
        s3 = record["s3"]
        # Keys are form-encoded in events.
        return ObjectVersion(s3["bucket"]["name"], unquote_plus(s3["object"]["key"]), s3["object"].get("versionId"))
    except (KeyError, TypeError) as error:
        raise ValueError("the message is no S3 event") from error
