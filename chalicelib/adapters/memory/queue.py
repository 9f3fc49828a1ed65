"""MessageQueue in memory, with the visibility timeouts and receipt handles of SQS, for tests."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chalicelib.errors import ServiceFaultError
from chalicelib.ports import MessageQueue


@dataclass
class MemoryMessage:
    """One message. `receipt_handle` is that of its last reception; None before the first."""

    body: str
    visible_at: float
    receipt_handle: str | None = None


class MemoryMessageQueue(MessageQueue):
    """One standard queue; a handle of an earlier reception is accepted by `delete` and has no effect, as in SQS.

    Parameters
    ----------
    visibility_timeout_seconds
        How long a received message is hidden.
    now
        Clock in seconds.
    """

    def __init__(self, *, visibility_timeout_seconds: float = 600, now: Callable[[], float] = time.monotonic) -> None:
        self.messages: list[MemoryMessage] = []
        self._visibility_timeout_seconds = visibility_timeout_seconds
        self._now = now
        self._issued: set[str] = set()
        self._lock = threading.Lock()

    def send(self, body: str) -> None:
        """Add a message that is visible from now on."""
        with self._lock:
            self.messages.append(MemoryMessage(body, self._now()))

    def receive(self, limit: int = 10) -> list[tuple[str, str]]:
        """Hide visible messages for the visibility timeout; returns receipt handle and body of each."""
        with self._lock:
            received = [message for message in self.messages if message.visible_at <= self._now()][:limit]
            return [(self._hide(message), message.body) for message in received]

    def delete(self, receipt_handles: Sequence[str]) -> None:
        """Remove messages. If a handle was never issued, remove the others and raise ServiceFaultError."""
        with self._lock:
            self.messages = [message for message in self.messages if message.receipt_handle not in receipt_handles]
            if not self._issued.issuperset(receipt_handles):
                raise ServiceFaultError("SQS did not delete every message")

    def retry(self, receipt_handle: str, *, after_seconds: int) -> None:
        """Make a message visible after this time; fails if it is not in flight under this handle."""
        with self._lock:
            in_flight = [
                message
                for message in self.messages
                if message.receipt_handle == receipt_handle and message.visible_at > self._now()
            ]
            if not in_flight:
                raise ServiceFaultError("SQS failed")
            in_flight[0].visible_at = self._now() + after_seconds

    def _hide(self, message: MemoryMessage) -> str:
        handle = f"handle-{len(self._issued) + 1}"
        self._issued.add(handle)
        message.receipt_handle = handle
        message.visible_at = self._now() + self._visibility_timeout_seconds
        return handle
