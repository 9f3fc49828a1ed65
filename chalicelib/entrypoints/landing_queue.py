"""The landing queue's consumer."""

from chalice.app import SQSEvent

from chalicelib.entrypoints.http import services
from chalicelib.services.ingest_batch import Message


def handle(event: SQSEvent) -> None:
    """Ingest the batch of an SQS event; raises where messages must come again."""
    services().ingest.ingest(
        [Message(record["messageId"], record["receiptHandle"], record["body"]) for record in event.to_dict()["Records"]]
    )
