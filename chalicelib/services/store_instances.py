"""Stores instances while they arrive (STOW-RS, PS3.18 §10.5). None is reported as stored before it is durable."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from threading import BoundedSemaphore
from typing import Protocol, TypeVar

from chalicelib.dicomweb.instance.header import InstanceHeader, read_header
from chalicelib.dicomweb.instance.part10 import read_instance
from chalicelib.dicomweb.instance.pixel_data import find_frames
from chalicelib.dicomweb.media_types import DICOM
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.dicomweb.stow.response import FailedInstance, PartOutcome, StoredInstance, StoreReport
from chalicelib.errors import BadRequestError, ContentTooLargeError, FailureReason, InstanceRejectedError
from chalicelib.ports import LandingStore, RecordStore
from chalicelib.services.receive_part import PartReceiver
from chalicelib.services.upload_memory import Lease, UploadMemory

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Parsing holds the interpreter's lock and may inflate data: more threads gain nothing and cost memory.
_CONCURRENT_CHECKS = 2


class IncomingPart(Protocol):
    """One part of a request body; it must be read to its end before the next part is requested."""

    @property
    def media_type(self) -> str:
        """``type/subtype`` in lower case; empty if the part has no Content-Type."""
        ...

    def chunks(self) -> AsyncIterator[bytes | memoryview]:
        """Pieces of the payload; raises MalformedMultipartError if the body ends too early."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreLimits:
    """Limits of storing; their defaults are those of `chalicelib.settings`.

    Parameters
    ----------
    in_memory_bytes
        An instance up to this size is checked completely before it is stored, a larger one only by its first bytes.
        It is also the size of the blocks in which a larger one is sent (S3: at least 5 MiB, at most 10,000 blocks).
    buffer_bytes
        Memory of all requests together for bytes that were received and are not yet stored.
    max_instance_bytes, max_inflated_bytes
        Largest instance, and largest deflated data set after inflation.
    max_instances
        Largest number of instances in one request.
    uploads_per_request, upload_threads
        Concurrent uploads of one request, and of all requests together.
    """

    in_memory_bytes: int
    buffer_bytes: int
    max_instance_bytes: int
    max_inflated_bytes: int
    max_instances: int
    uploads_per_request: int
    upload_threads: int


class StoreInstances:
    """Stores the instances of any number of concurrent requests, in bounded memory.

    Strategy: a part up to `in_memory_bytes` is received completely, checked as conversion will check it, and
    written with one call while the next part arrives. A larger part is written in blocks while it arrives,
    and becomes an object only when it is complete. No request receives more bytes than `UploadMemory` allows,
    so a slow bucket slows down the sockets instead of filling the memory.

    Parameters
    ----------
    landing, records
        Where instances are written, and where registered instances are looked up.
    limits
        Limits of storing.
    """

    def __init__(self, landing: LandingStore, records: RecordStore, limits: StoreLimits) -> None:
        self.landing = landing
        self.records = records
        self.limits = limits
        self.memory = UploadMemory(limits.buffer_bytes, limits.in_memory_bytes)
        self._threads = ThreadPoolExecutor(limits.upload_threads, thread_name_prefix="store")
        self._checks = BoundedSemaphore(_CONCURRENT_CHECKS)

    async def store(
        self,
        parts: AsyncIterator[IncomingPart],
        *,
        request_id: str,
        study_instance_uid: str | None = None,
    ) -> StoreReport:
        """Store all parts of a request.

        Parameters
        ----------
        parts
            In the order of the request.
        request_id
            Unique; part of the keys of the landing objects.
        study_instance_uid
            If given, instances of other studies are refused.

        Raises
        ------
        BadRequestError
            The body is malformed, ends too early or has no part. Complete parts before that may have been stored.
        ContentTooLargeError
            An instance is too large, or there are too many.
        ServiceFaultError
            A service behind the store failed; the same request may succeed later.
        """
        request = _StoreRequest(self, request_id, study_instance_uid)
        try:
            async for part in parts:
                await request.receive(part)
        finally:
            await request.settle()
        return await request.report()

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """Run a blocking function in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    def check(self, instance_bytes: bytes) -> InstanceHeader:
        """Check a complete instance as conversion does."""
        with (
            self._checks,
            read_instance(BytesIO(instance_bytes), max_inflated_bytes=self.limits.max_inflated_bytes) as instance,
        ):
            find_frames(instance)  # refuses pixel data that lacks declared frames
            return InstanceHeader(instance.uids, instance.sop_class_uid, instance.transfer_syntax_uid)

    def close(self) -> None:
        """Stop the threads; to be called when no request is active."""
        self._threads.shutdown()


class _StoreRequest:
    """State of one request, which it shares with no other."""

    def __init__(self, service: StoreInstances, request_id: str, study_instance_uid: str | None) -> None:
        self._service = service
        self._limits = service.limits
        self._receiver = PartReceiver(service.memory, service.limits.max_instance_bytes, service.run)
        self._request_id = request_id
        self._study_instance_uid = study_instance_uid
        self._outcomes: list[PartOutcome | None] = []
        self._digests: dict[ResourceUids, str] = {}
        self._slots = asyncio.Semaphore(self._limits.uploads_per_request)
        self._under_way: set[asyncio.Task[None]] = set()
        self._fault: BaseException | None = None

    async def receive(self, part: IncomingPart) -> None:
        """Receive one part; a small one is still being stored when this returns."""
        number = len(self._outcomes)
        if number >= self._limits.max_instances:
            raise ContentTooLargeError(f"the request contains more than {self._limits.max_instances} instances")
        self._outcomes.append(None)
        if part.media_type not in ("", DICOM):
            await self._receiver.drain(part.chunks())
            self._outcomes[number] = FailedInstance(
                FailureReason.CANNOT_UNDERSTAND, "the part's Content-Type is not application/dicom"
            )
            return
        await self._slots.acquire()
        handed_over = False
        lease = await self._service.memory.lease()
        try:
            self._raise_fault()
            chunks = part.chunks()
            buffer = BytesIO()
            await self._receiver.fill(buffer, chunks, lease)
            if buffer.tell() > self._limits.in_memory_bytes:
                self._outcomes[number] = await self._store_large(number, buffer, chunks, lease)
                return
            task = asyncio.create_task(self._store_small(number, buffer.getvalue(), lease))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            handed_over = True
        finally:
            if not handed_over:
                lease.release()
                self._slots.release()

    async def settle(self) -> None:
        """Wait until all uploads of the request have ended."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def report(self) -> StoreReport:
        """Results of all parts, compared with the instances that were registered before.

        Raises
        ------
        BadRequestError
            The request had no part.
        """
        self._raise_fault()
        if not self._outcomes:
            raise BadRequestError("the request contains no instance")
        outcomes = [outcome for outcome in self._outcomes if outcome is not None]
        uids = list(self._digests)
        registered = await self._service.run(self._service.records.get_digests, uids) if uids else {}
        return StoreReport(
            [
                _conflict(outcome.uids, outcome.sop_class_uid)
                if isinstance(outcome, StoredInstance)
                and registered.get(outcome.uids, outcome.sha256) != outcome.sha256
                else outcome
                for outcome in outcomes
            ],
            self._study_instance_uid,
        )

    def _raise_fault(self) -> None:
        if self._fault is not None:
            raise self._fault

    async def _store_small(self, number: int, instance_bytes: bytes, lease: Lease) -> None:
        try:
            self._outcomes[number] = await self._service.run(self._check_and_put, number, instance_bytes)
        except BaseException as fault:  # kept, and raised by the next part or the report
            self._fault = self._fault or fault
        finally:
            lease.release()
            self._slots.release()

    def _check_and_put(self, number: int, instance_bytes: bytes) -> PartOutcome:
        """Check and write a small instance; runs in a thread, so that it does not block the sockets."""
        self._receiver.check_size(len(instance_bytes))
        try:
            header = self._service.check(instance_bytes)
        except InstanceRejectedError as error:
            return _rejection(error, instance_bytes)
        except Exception:  # a defect of the archive must not fail the other instances of the request
            logger.exception("an instance could not be checked", extra={"request_id": self._request_id})
            return FailedInstance(FailureReason.PROCESSING_FAILURE, "the instance could not be checked")
        if failure := self._other_study(header):
            return failure
        sha256 = hashlib.sha256(instance_bytes).hexdigest()
        outcome, is_first = self._enter(header, sha256, len(instance_bytes))
        if is_first:
            self._service.landing.put(self._key(number), instance_bytes, sha256)
        return outcome

    async def _store_large(
        self, number: int, buffer: BytesIO, chunks: AsyncIterator[bytes | memoryview], lease: Lease
    ) -> PartOutcome:
        try:
            header = await self._service.run(read_header, buffer.getvalue())
        except InstanceRejectedError as error:
            await self._receiver.drain(chunks)
            return _rejection(error, b"")
        if failure := self._other_study(header):
            await self._receiver.drain(chunks)
            return failure
        upload = await self._service.run(self._service.landing.begin_upload, self._key(number))
        try:
            sha256, size = await self._receiver.send_blocks(upload, buffer, chunks, lease)
            outcome, is_first = self._enter(header, sha256, size)
            if is_first:
                await self._service.run(upload.complete)
                return outcome
        except BaseException:
            await self._service.run(upload.abort)
            raise
        await self._service.run(upload.abort)
        return outcome

    def _other_study(self, header: InstanceHeader) -> FailedInstance | None:
        if self._study_instance_uid in (None, header.uids.study_instance_uid):
            return None
        return FailedInstance(
            FailureReason.DATA_SET_DOES_NOT_MATCH_SOP_CLASS,
            "the instance belongs to another study than the URL names",
            header.uids,
            header.sop_class_uid,
        )

    def _enter(self, header: InstanceHeader, sha256: str, size: int) -> tuple[PartOutcome, bool]:
        """Outcome of an instance as far as this request decides it, and whether its bytes must be written.

        Other content under the same UIDs is not written: events arrive in any order, so it might be published
        instead of the first content, which this answer reports as stored.
        """
        # setdefault is atomic; several threads call this.
        before = self._digests.get(header.uids)
        first = self._digests.setdefault(header.uids, sha256)
        if first != sha256:
            return _conflict(header.uids, header.sop_class_uid), False
        return StoredInstance(header.uids, header.sop_class_uid, sha256, size), before is None

    def _key(self, number: int) -> str:
        return f"stow/{self._request_id}/{number + 1}.dcm"


def _conflict(uids: ResourceUids, sop_class_uid: str) -> FailedInstance:
    return FailedInstance(
        FailureReason.DUPLICATE_SOP_INSTANCE,
        "other content is stored under the same SOP Instance UID",
        uids,
        sop_class_uid,
    )


def _rejection(error: InstanceRejectedError, instance_bytes: bytes) -> FailedInstance:
    """Failure of an instance; with its UIDs if its first bytes can be read."""
    try:
        header = read_header(instance_bytes)
    except InstanceRejectedError:
        return FailedInstance(error.failure_reason, error.message)
    return FailedInstance(error.failure_reason, error.message, header.uids, header.sop_class_uid)
