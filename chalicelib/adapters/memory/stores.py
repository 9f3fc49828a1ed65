"""ObjectStore and RecordStore in memory, for tests.

They keep the promises of the ports: conditional writes, versions, the first claim wins, safe between threads.
"""

import hashlib
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO

from chalicelib.dicomweb.attributes import DicomJson
from chalicelib.dicomweb.json_text import dump_json
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.dicomweb.wado.static_object import StaticObject
from chalicelib.errors import NotFoundError, PreconditionFailedError, ServiceFaultError
from chalicelib.ports import (
    ClaimOutcome,
    InstanceRecord,
    ObjectContent,
    ObjectHead,
    ObjectStore,
    ObjectVersion,
    RecordStore,
    Rejection,
)

_MAX_ITEM_BYTES = 400 * 1024  # DynamoDB's limit


class MemoryObjectStore(ObjectStore):
    """Objects by bucket and key; `calls` counts the requests that would have gone to S3."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], StaticObject] = {}
        self.landed: dict[ObjectVersion, tuple[bytes, datetime]] = {}
        self.calls: Counter[str] = Counter()
        self._lock = threading.Lock()

    def land(self, key: str, data: bytes, *, bucket: str = "landing", at: datetime | None = None) -> ObjectVersion:
        """Upload a landing object, as a client would."""
        with self._lock:
            version = ObjectVersion(bucket, key, f"v{len(self.landed) + 1}")
            self.landed[version] = (data, at or datetime.now(UTC))
            return version

    @contextmanager
    def open(self, version: ObjectVersion) -> Iterator[ObjectContent]:
        """Read a landed version."""
        self.calls["get"] += 1
        if version not in self.landed:
            raise NotFoundError("the object does not exist")
        data, last_modified = self.landed[version]
        yield ObjectContent(BytesIO(data), len(data), hashlib.sha256(data).hexdigest(), last_modified)

    def put(self, bucket: str, content: StaticObject) -> None:
        """Write an object of an instance."""
        body = _body(content)
        with self._lock:
            self.calls["put"] += 1
            self.objects[bucket, content.key] = replace(content, body=body)

    def put_aggregate(self, bucket: str, content: StaticObject, replaces: str | None) -> str:
        """Replace the version of an aggregate whose ETag is `replaces`; returns the new ETag."""
        with self._lock:
            self.calls["put"] += 1
            there = self.objects.get((bucket, content.key))
            if there and _etag(there) != replaces:
                raise PreconditionFailedError("another writer has changed the object")
            self.objects[bucket, content.key] = content
            return _etag(content)

    def head(self, bucket: str, key: str) -> ObjectHead | None:
        """Read the headers of an object; None if it does not exist."""
        self.calls["head"] += 1
        content = self.objects.get((bucket, key))
        if content is None:
            return None
        return ObjectHead(
            size=len(_body(content)),
            etag=_etag(content),
            content_type=content.content_type,
            cache_control=content.cache_control,
            content_encoding=content.content_encoding,
        )

    def get_bytes(self, bucket: str, key: str) -> bytes:
        """Read a small object into memory."""
        self.calls["get"] += 1
        if (bucket, key) not in self.objects:
            raise NotFoundError("the object does not exist")
        return _body(self.objects[bucket, key])

    def presign(self, version: ObjectVersion, *, content_type: str) -> str:
        """Create a URL that names the object and the content type; it leads nowhere."""
        return f"https://{version.bucket}.example/{version.key}?type={content_type}"


class MemoryRecordStore(RecordStore):
    """Records by address, and rejections by landing object."""

    def __init__(self) -> None:
        self.instances: dict[ResourceUids, InstanceRecord] = {}
        self.answers: dict[ResourceUids, DicomJson] = {}
        self.rejections: dict[ObjectVersion, Rejection] = {}
        self._lock = threading.Lock()

    def claim_instance(
        self, uids: ResourceUids, *, sha256: str, landing: ObjectVersion, stored_at: datetime
    ) -> ClaimOutcome:
        """Register the content of an instance; the first content wins."""
        with self._lock:
            there = self.instances.get(uids)
            if there is None:
                self.instances[uids] = InstanceRecord(uids, sha256, landing, stored_at, complete=False)
                return ClaimOutcome.NEW
        if there.sha256 != sha256:
            return ClaimOutcome.OTHER_CONTENT
        return ClaimOutcome.COMPLETE if there.complete else ClaimOutcome.INCOMPLETE

    def complete_instance(self, uids: ResourceUids, *, qido: DicomJson, metadata: bytes | None) -> None:
        """Complete a record with the attributes and the metadata from which aggregates are made."""
        if len(dump_json(qido)) + len(metadata or b"") > _MAX_ITEM_BYTES:
            raise ServiceFaultError("DynamoDB failed (ValidationException)")
        with self._lock:
            self.instances[uids] = replace(self.instances[uids], complete=True, qido=qido, metadata=metadata)

    def get_instance(self, uids: ResourceUids) -> InstanceRecord | None:
        """Read one record, complete or only claimed."""
        return self.instances.get(uids)

    def get_digests(self, instances: Sequence[ResourceUids]) -> Mapping[ResourceUids, str]:
        """SHA-256 of each of these instances that is registered."""
        return {uids: self.instances[uids].sha256 for uids in instances if uids in self.instances}

    def list_instances(self, study_instance_uid: str) -> Iterator[InstanceRecord]:
        """Read all complete instances of a study."""
        for record in list(self.instances.values()):
            if record.complete and record.uids.study_instance_uid == study_instance_uid:
                yield record

    def put_qido_answers(self, study_instance_uid: str, study: DicomJson, series: Mapping[str, DicomJson]) -> None:
        """Write the QIDO documents of a study and of its (changed) series."""
        self.answers[ResourceUids(study_instance_uid)] = study
        for uid, document in series.items():
            self.answers[ResourceUids(study_instance_uid, uid)] = document

    def get_qido_answers(self, keys: Sequence[ResourceUids]) -> Mapping[ResourceUids, DicomJson]:
        """QIDO documents of studies, series and instances; missing ones are left out."""
        answers = {}
        for key in keys:
            if key in self.instances:
                answers[key] = self.instances[key].qido
            elif key in self.answers:
                answers[key] = self.answers[key]
        return answers

    def get_instance_metadata(self, keys: Sequence[ResourceUids]) -> Mapping[ResourceUids, bytes | None]:
        """Metadata of instances; missing ones are left out."""
        return {key: self.instances[key].metadata for key in keys if key in self.instances}

    def put_rejection(self, rejection: Rejection) -> None:
        """Record that a landing object will never be published."""
        self.rejections[rejection.landing] = rejection

    def list_rejections(self) -> Iterator[Rejection]:
        """Read all rejected landing objects."""
        return iter(list(self.rejections.values()))


def _body(content: StaticObject) -> bytes:
    return content.body if isinstance(content.body, bytes) else b"".join(content.body)


def _etag(content: StaticObject) -> str:
    return f'"{hashlib.sha256(_body(content)).hexdigest()[:32]}"'
