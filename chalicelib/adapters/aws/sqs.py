"""MessageQueue on SQS."""

from collections.abc import Sequence
from typing import Any

from chalicelib.adapters.aws.clients import batches, service_faults
from chalicelib.errors import ServiceFaultError
from chalicelib.ports import MessageQueue

_BATCH = 10  # entries that DeleteMessageBatch accepts


class SqsMessageQueue(MessageQueue):
    """The queue of this name; its URL is looked up when it is first needed."""

    def __init__(self, client: Any, queue_name: str) -> None:
        self._client = client
        self._queue_name = queue_name
        self._queue_url: str | None = None

    def delete(self, receipt_handles: Sequence[str]) -> None:
        """Remove messages. If some cannot be removed, remove the others and raise ServiceFaultError."""
        failed = False
        for batch in batches(receipt_handles, _BATCH):
            entries = [{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(batch)]
            with service_faults("SQS"):
                answer = self._client.delete_message_batch(QueueUrl=self._url(), Entries=entries)
            failed = failed or bool(answer.get("Failed"))
        if failed:
            raise ServiceFaultError("SQS did not delete every message")

    def retry(self, receipt_handle: str, *, after_seconds: int) -> None:
        """Set the visibility timeout of a received message."""
        with service_faults("SQS"):
            self._client.change_message_visibility(
                QueueUrl=self._url(), ReceiptHandle=receipt_handle, VisibilityTimeout=after_seconds
            )

    def _url(self) -> str:
        if self._queue_url is None:
            self._queue_url = str(self._client.get_queue_url(QueueName=self._queue_name)["QueueUrl"])
        return self._queue_url
