"""Converts one landing object into the static objects and the record of its instance, and touches no other instance.

Strategy: every step may be repeated. A file that must be refused is refused before the claim. The claim
decides which content an instance has. The record is completed last, so a complete record means that all
objects exist.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime

from chalicelib.dicomweb.attributes import BY_KEYWORD, index_attributes
from chalicelib.dicomweb.instance.part10 import Instance, read_instance
from chalicelib.dicomweb.wado.static_instance import StaticInstance, prepare
from chalicelib.dicomweb.wado.static_object import IMMUTABLE, StaticObject, metadata_object
from chalicelib.errors import FailureReason, InstanceRejectedError, NotFoundError
from chalicelib.ports import (
    ClaimOutcome,
    ObjectContent,
    ObjectStore,
    ObjectVersion,
    RecordStore,
    Rejection,
)
from chalicelib.services.clock import utc_now

logger = logging.getLogger(__name__)

# Larger compressed metadata stays in its static object only; a DynamoDB item holds at most 400 KB.
MAX_RECORD_METADATA_BYTES = 256 * 1024

# Static objects of one instance that are written concurrently: enough to hide the latency of S3.
_MAX_PENDING_WRITES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertInstance:
    """The use case; `executor` writes the objects of an instance concurrently."""

    objects: ObjectStore
    records: RecordStore
    executor: Executor
    static_bucket: str
    dicomweb_root: str
    max_inflated_bytes: int
    now: Callable[[], datetime] = utc_now

    def convert(self, landing: ObjectVersion) -> str | None:
        """Convert one landing object.

        Returns
        -------
        str or None
            StudyInstanceUID of the study that must be published now; None if the object was rejected, which
            has been recorded.

        Raises
        ------
        ServiceFaultError
            A service failed; the same call may succeed later.
        """
        try:
            with self.objects.open(landing) as content:
                return self._convert(landing, content)
        except NotFoundError:
            self._reject(landing, InstanceRejectedError("the object was deleted before it was read"))
        except InstanceRejectedError as rejection:
            self._reject(landing, rejection)
        return None

    def _convert(self, landing: ObjectVersion, content: ObjectContent) -> str:
        with read_instance(content.file, max_inflated_bytes=self.max_inflated_bytes) as instance:
            static = prepare(instance, sha256=content.sha256, dicomweb_root=self.dicomweb_root)
            claim = self.records.claim_instance(
                instance.uids, sha256=content.sha256, landing=landing, stored_at=content.last_modified
            )
            if claim is ClaimOutcome.OTHER_CONTENT:
                raise InstanceRejectedError(
                    "an instance with this SOPInstanceUID and other content was stored before",
                    FailureReason.DUPLICATE_SOP_INSTANCE,
                )
            if claim is not ClaimOutcome.COMPLETE:
                self._publish_instance(instance, static, content)
            return instance.uids.study_instance_uid

    def _publish_instance(self, instance: Instance, static: StaticInstance, content: ObjectContent) -> None:
        metadata = static.compressed_metadata()
        self._write_all(static, content, metadata_object(instance.uids.key, metadata, IMMUTABLE))
        qido = index_attributes(static.metadata)
        syntax = BY_KEYWORD["AvailableTransferSyntaxUID"]
        qido[syntax.tag] = {"vr": syntax.vr, "Value": [instance.transfer_syntax_uid]}
        self.records.complete_instance(
            instance.uids,
            qido=qido,
            metadata=metadata if len(metadata) <= MAX_RECORD_METADATA_BYTES else None,
        )

    def _write_all(self, static: StaticInstance, content: ObjectContent, metadata: StaticObject) -> None:
        """Write with bounded memory: an object is created only when one of the earlier writes has ended."""
        pending = [self.executor.submit(self.objects.put, self.static_bucket, metadata)]
        for static_object in static.media_objects(content.file, content.size):
            if not isinstance(static_object.body, bytes):
                # Read from the same file as the next object, so it is written before that one is created.
                self.objects.put(self.static_bucket, static_object)
                continue
            if len(pending) >= _MAX_PENDING_WRITES:
                pending.pop(0).result()
            pending.append(self.executor.submit(self.objects.put, self.static_bucket, static_object))
        for write in pending:
            write.result()

    def _reject(self, landing: ObjectVersion, rejection: InstanceRejectedError) -> None:
        self.records.put_rejection(Rejection(landing, rejection.message, int(rejection.failure_reason), self.now()))
        logger.warning(
            "landing object rejected",
            extra={"bucket": landing.bucket, "version_id": landing.version_id, "reason": rejection.message},
        )
