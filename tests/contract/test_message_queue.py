"""Contract of MessageQueue: tests of the adapter in memory and of the one on SQS."""

from collections.abc import Iterator
from contextlib import suppress
from time import monotonic
from typing import Any, Protocol
from uuid import uuid4

import pytest

from chalicelib.adapters.aws.sqs import SqsMessageQueue
from chalicelib.adapters.memory.queue import MemoryMessageQueue
from chalicelib.errors import ServiceFaultError
from chalicelib.ports import MessageQueue
from localstack.parts.aws import EmulatedAws
from tests.support.emulator import archive_client

VISIBILITY_TIMEOUT_SECONDS = 600


class Queue(Protocol):
    """The port under test, and the calls of S3 (send) and Lambda (receive) on the same queue."""

    port: MessageQueue

    def seconds(self) -> float: ...

    def send(self, body: str) -> None: ...

    def receive(self, wait_seconds: int = 0) -> list[tuple[str, str]]:
        """Receipt handle and body of up to ten messages; waits this long for the first one."""
        ...


class InMemory:
    def __init__(self) -> None:
        self._now = 0.0
        self._queue = MemoryMessageQueue(visibility_timeout_seconds=VISIBILITY_TIMEOUT_SECONDS, now=self.seconds)
        self.port: MessageQueue = self._queue

    def seconds(self) -> float:
        return self._now

    def send(self, body: str) -> None:
        self._queue.send(body)

    def receive(self, wait_seconds: int = 0) -> list[tuple[str, str]]:
        deadline = self._now + wait_seconds
        while not (messages := self._queue.receive()) and self._now < deadline:
            self._now += 0.25
        return messages


class OnSqs:
    def __init__(self, client: Any) -> None:
        self._client = client
        name = f"contract-{uuid4().hex}"
        attributes = {"VisibilityTimeout": str(VISIBILITY_TIMEOUT_SECONDS)}
        self.url = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self.port: MessageQueue = SqsMessageQueue(client, name)

    def seconds(self) -> float:
        return monotonic()

    def send(self, body: str) -> None:
        self._client.send_message(QueueUrl=self.url, MessageBody=body)

    def receive(self, wait_seconds: int = 0) -> list[tuple[str, str]]:
        answer = self._client.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=wait_seconds)
        return [(message["ReceiptHandle"], message["Body"]) for message in answer.get("Messages", [])]


@pytest.fixture
def sqs(emulated_aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> Any:
    return archive_client(emulated_aws, "sqs", monkeypatch)


@pytest.fixture(params=["memory", pytest.param("sqs", marks=pytest.mark.database)])
def queue(request: pytest.FixtureRequest) -> Iterator[Queue]:
    if request.param == "memory":
        yield InMemory()
        return
    client = request.getfixturevalue("sqs")
    on_sqs = OnSqs(client)
    yield on_sqs
    client.delete_queue(QueueUrl=on_sqs.url)


def receive_one(queue: Queue, wait_seconds: int = 5) -> str:
    [(handle, _body)] = queue.receive(wait_seconds)
    return handle


def receive_all(queue: Queue, number: int) -> dict[str, str]:
    received: dict[str, str] = {}
    while len(received) < number:
        messages = queue.receive(5)
        assert messages, f"received {len(received)} of {number} messages"
        received |= messages
    return received


def become_visible(queue: Queue, handle: str) -> None:
    """End the visibility timeout of a received message, so that it can be received again."""
    queue.port.retry(handle, after_seconds=0)


def test_deleted_messages_are_removed_and_others_stay(queue: Queue) -> None:
    for number in range(3):
        queue.send(str(number))
    handles = {body: handle for handle, body in receive_all(queue, 3).items()}
    queue.port.delete([handles["0"], handles["2"]])
    become_visible(queue, handles["1"])
    assert [body for _handle, body in queue.receive(5)] == ["1"]
    for deleted in ("0", "2"):
        with pytest.raises(ServiceFaultError):
            become_visible(queue, handles[deleted])


def test_all_messages_are_deleted_though_one_call_takes_ten(queue: Queue) -> None:
    for number in range(23):
        queue.send(str(number))
    handles = list(receive_all(queue, 23))
    queue.port.delete(handles)
    for handle in handles:
        with pytest.raises(ServiceFaultError):
            become_visible(queue, handle)


def test_nothing_is_deleted_without_handles(queue: Queue) -> None:
    queue.send("one")
    queue.port.delete([])
    assert [body for _handle, body in queue.receive(5)] == ["one"]


def test_a_handle_that_the_queue_did_not_issue_is_a_fault_and_the_others_are_deleted(queue: Queue) -> None:
    for number in range(12):
        queue.send(str(number))
    first, *others = receive_all(queue, 12)
    with pytest.raises(ServiceFaultError):
        queue.port.delete([first, "no-handle", *others])
    for handle in (first, *others):
        with pytest.raises(ServiceFaultError):
            become_visible(queue, handle)
    with pytest.raises(ServiceFaultError):
        queue.port.retry("no-handle", after_seconds=0)


def test_a_retried_message_is_received_after_its_delay_and_not_before(queue: Queue) -> None:
    queue.send("one")
    handle = receive_one(queue)
    before = queue.seconds()
    queue.port.retry(handle, after_seconds=1)
    assert queue.receive() == []
    [(again, body)] = queue.receive(5)
    assert body == "one"
    assert again != handle
    assert queue.seconds() - before >= 1


def test_a_retry_can_come_sooner_than_the_visibility_timeout(queue: Queue) -> None:
    queue.send("one")
    queue.port.retry(receive_one(queue), after_seconds=0)
    assert [body for _handle, body in queue.receive(5)] == ["one"]


def test_a_handle_is_valid_until_its_message_becomes_visible(queue: Queue) -> None:
    queue.send("one")
    handle = receive_one(queue)
    queue.port.retry(handle, after_seconds=2 * VISIBILITY_TIMEOUT_SECONDS)
    queue.port.retry(handle, after_seconds=0)
    assert [body for _handle, body in queue.receive(5)] == ["one"]


def test_a_handle_that_expired_has_no_effect(queue: Queue) -> None:
    queue.send("one")
    expired = receive_one(queue)
    become_visible(queue, expired)
    latest = receive_one(queue)
    with pytest.raises(ServiceFaultError):
        queue.port.retry(expired, after_seconds=0)
    # SQS accepts the deletion and does nothing; the emulator refuses it.
    with suppress(ServiceFaultError):
        queue.port.delete([expired])
    become_visible(queue, latest)
    assert [body for _handle, body in queue.receive(5)] == ["one"]


def test_a_queue_that_does_not_exist_is_a_fault(sqs: Any) -> None:
    queue = SqsMessageQueue(sqs, "no-such-queue")
    with pytest.raises(ServiceFaultError):
        queue.delete(["handle"])
    with pytest.raises(ServiceFaultError):
        queue.retry("handle", after_seconds=0)
