"""Protocols of the services that the use cases depend on; each has a real adapter and a fake in memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import BinaryIO, Protocol

from chalicelib.dicomweb.attributes import DicomJson
from chalicelib.dicomweb.qido.query import QidoQuery
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.dicomweb.wado.static_object import StaticObject

# --- objects ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """One version of an object, which never changes. `version_id` is None in a bucket without versions."""

    bucket: str
    key: str
    version_id: str | None = None


@dataclass(frozen=True, slots=True)
class ObjectContent:
    """The content of one object version, open for reading from its start."""

    file: BinaryIO
    size: int
    sha256: str
    last_modified: datetime


@dataclass(frozen=True, slots=True)
class ObjectHead:
    """Headers of an object."""

    size: int
    etag: str
    content_type: str
    cache_control: str
    content_encoding: str | None


class ObjectStore(Protocol):
    """S3. Methods raise ServiceFaultError if the service fails, and NotFoundError if the object does not exist."""

    def open(self, version: ObjectVersion) -> AbstractContextManager[ObjectContent]:
        """Open a version for reading with bounded memory: a small one in memory, a large one through a file."""
        ...

    def put(self, bucket: str, content: StaticObject) -> None:
        """Write an object of an instance. It may be written twice, since a second writer brings the same content."""
        ...

    def put_aggregate(self, bucket: str, content: StaticObject, replaces: str | None) -> str:
        """Replace the version of an aggregate whose ETag is `replaces`; create the object if that is None.

        Returns
        -------
        str
            The new ETag.

        Raises
        ------
        PreconditionFailedError
            The bucket holds another version.
        """
        ...

    def head(self, bucket: str, key: str) -> ObjectHead | None:
        """Read the headers of an object; None if it does not exist."""
        ...

    def get_bytes(self, bucket: str, key: str) -> bytes:
        """Read a small object into memory."""
        ...

    def presign(self, version: ObjectVersion, *, content_type: str) -> str:
        """Create a URL with which anybody can read a version for a few minutes."""
        ...


class MessageQueue(Protocol):
    """SQS, as a consumer uses it. Every method raises ServiceFaultError if the service fails."""

    def delete(self, receipt_handles: Sequence[str]) -> None:
        """Remove messages that have been processed."""
        ...

    def retry(self, receipt_handle: str, *, after_seconds: int) -> None:
        """Make a failed message visible again after this time instead of when its visibility timeout ends."""
        ...


# --- records ----------------------------------------------------------------------------------


class ClaimOutcome(Enum):
    """Result of a claim."""

    NEW = "the instance was not claimed before"
    INCOMPLETE = "the same content was claimed before, and not completed"
    COMPLETE = "the same content was completed before"
    OTHER_CONTENT = "other content was claimed before"


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """One registered instance.

    `qido` holds the attributes of all three levels. `metadata` is the gzip-compressed JSON array of one
    data set; None if it is too large for a DynamoDB item and is kept in the static object only.
    """

    uids: ResourceUids
    sha256: str
    landing: ObjectVersion
    stored_at: datetime
    complete: bool
    qido: DicomJson = field(default_factory=dict)
    metadata: bytes | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a landing object was not published."""

    landing: ObjectVersion
    reason: str
    failure_reason: int
    rejected_at: datetime


class RecordStore(Protocol):
    """DynamoDB. Every method raises ServiceFaultError if the service fails."""

    def claim_instance(
        self, uids: ResourceUids, *, sha256: str, landing: ObjectVersion, stored_at: datetime
    ) -> ClaimOutcome:
        """Register the content of an instance. The first content wins, and later claims are compared with it."""
        ...

    def complete_instance(self, uids: ResourceUids, *, qido: DicomJson, metadata: bytes | None) -> None:
        """Complete a record with the attributes and the metadata from which aggregates are made.

        From now on the instance is part of its study.
        """
        ...

    def get_instance(self, uids: ResourceUids) -> InstanceRecord | None:
        """Read one record, complete or only claimed."""
        ...

    def get_digests(self, instances: Sequence[ResourceUids]) -> Mapping[ResourceUids, str]:
        """SHA-256 of each of these instances that is registered; there is no limit to their number."""
        ...

    def list_instances(self, study_instance_uid: str) -> Iterator[InstanceRecord]:
        """Read all complete instances of a study, strongly consistent."""
        ...

    def put_qido_answers(self, study_instance_uid: str, study: DicomJson, series: Mapping[str, DicomJson]) -> None:
        """Write the QIDO documents of a study and of its (changed) series."""
        ...

    def get_qido_answers(self, keys: Sequence[ResourceUids]) -> Mapping[ResourceUids, DicomJson]:
        """QIDO documents of studies, series and instances; missing ones are left out."""
        ...

    def get_instance_metadata(self, keys: Sequence[ResourceUids]) -> Mapping[ResourceUids, bytes | None]:
        """`InstanceRecord.metadata` of instances; missing ones are left out."""
        ...

    def put_rejection(self, rejection: Rejection) -> None:
        """Record that a landing object will never be published."""
        ...

    def list_rejections(self) -> Iterator[Rejection]:
        """Read all rejected landing objects, in no particular order."""
        ...


# --- index ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AggregateState:
    """Version of an aggregate that the index knows: ETag of its object, and digest of its members."""

    etag: str
    digest: str


@dataclass(frozen=True, slots=True)
class StudyPublication:
    """Everything that search needs about one study, derived from its registered instances.

    A JSON document holds the attributes of its own level, the computed ones (counts, ModalitiesInStudy)
    and the UIDs of the levels above. `instances` are all instances of the study; the index keeps those that
    it already has. `aggregates` maps a SeriesInstanceUID, or "" for the study's metadata, to the version
    just written.
    """

    study_instance_uid: str
    study: DicomJson
    series: Mapping[str, DicomJson]
    instances: Iterable[DicomJson]
    aggregates: Mapping[str, AggregateState]


class PublicationTurn(Protocol):
    """The turn of one publisher of a study; it holds the study's lock."""

    def published_version(self) -> int:
        """Version that searches see; 0 before the first publication."""
        ...

    def dirty_version(self) -> int:
        """Latest version whose publication was requested."""
        ...

    def aggregates(self) -> Mapping[str, AggregateState]:
        """`StudyPublication.aggregates` of the last publication."""
        ...

    def ensure_held(self) -> None:
        """Raise ServiceFaultError if the lock was lost."""
        ...

    def commit(self, version: int, publication: StudyPublication) -> None:
        """Write all rows and the published version in one transaction."""
        ...


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Addresses of the hits of one page in order, and the number of hits after it.

    Unless `all_counted`, `remaining` is a lower bound.
    """

    keys: list[ResourceUids]
    remaining: int
    all_counted: bool = True


class StudyIndex(Protocol):
    """MySQL. Every method raises ServiceFaultError if the service fails."""

    def mark_dirty(self, study_instance_uid: str) -> int:
        """Request a publication of the study; returns the version that will cover this request."""
        ...

    def turn(self, study_instance_uid: str) -> AbstractContextManager[PublicationTurn]:
        """Wait for the study's lock; ServiceFaultError if it cannot be acquired in time."""
        ...

    def search(self, query: QidoQuery) -> SearchPage:
        """Find one page of hits, in a total and stable order (ties are broken by UIDs).

        Raises
        ------
        SearchTooBroadError
            The search takes too long.
        """
        ...


# --- landing ----------------------------------------------------------------------------------


class LandingUpload(Protocol):
    """A landing object that is written in blocks; it exists only once the upload is completed."""

    def append(self, block: bytes) -> None:
        """Send the next block. All but the last must have at least 5 MiB (a limit of S3)."""
        ...

    def complete(self) -> None:
        """Create the object. It is durable when this returns."""
        ...

    def abort(self) -> None:
        """Discard what was sent. Never raises: a lifecycle rule of the bucket removes what is left."""
        ...


class LandingStore(Protocol):
    """The bucket in which instances arrive. Every method raises ServiceFaultError if the service fails."""

    def put(self, key: str, instance_bytes: bytes, sha256: str) -> None:
        """Write a whole instance. It is durable when this returns.

        `sha256` is the hexadecimal digest of the bytes; the service checks what it received against it.
        """
        ...

    def begin_upload(self, key: str) -> LandingUpload:
        """Start an upload of an instance in blocks."""
        ...
