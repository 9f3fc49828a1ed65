"""Consumer of the landing queue."""

from typing import Any

from chalice.app import SQSEvent

from chalicelib.entrypoints import http
from chalicelib.services.ingest_batch import Message


def handle(event: SQSEvent) -> None:
    """Ingest the batch of an SQS event; raises an error if messages must be retried."""
    http.services().ingest.ingest([_message(record) for record in event.to_dict()["Records"]])


def _message(record: dict[str, Any]) -> Message:
    count = record.get("attributes", {}).get("ApproximateReceiveCount", "1")
    return Message(record["messageId"], record["receiptHandle"], record["body"], int(count))
