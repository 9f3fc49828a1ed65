"""What the services need of the world, as protocols; each has a real adapter and an in-memory fake."""

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
    """Names one version of one object for ever. `version_id` is None in an unversioned bucket."""

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
    """What is known of an object without its body."""

    size: int
    etag: str
    content_type: str
    cache_control: str
    content_encoding: str | None


class ObjectStore(Protocol):
    """S3. Every method raises ServiceFaultError when the service fails, NotFoundError where nothing is."""

    def open(self, version: ObjectVersion) -> AbstractContextManager[ObjectContent]:
        """Read a version with bounded memory: small ones in memory, large ones through a file."""
        ...

    def put(self, bucket: str, content: StaticObject) -> None:
        """Write one instance-level object; a second writer brings the same content."""
        ...

    def put_aggregate(self, bucket: str, content: StaticObject, replaces: str | None) -> str:
        """Write an aggregate in place of just the version with ETag `replaces` (None: no object).

        Returns the new ETag.

        Raises
        ------
        PreconditionFailedError
            Another version is there.
        """
        ...

    def head(self, bucket: str, key: str) -> ObjectHead | None:
        """Describe an object, or None where there is none."""
        ...

    def get_bytes(self, bucket: str, key: str) -> bytes:
        """Read a small object whole."""
        ...

    def presign(self, version: ObjectVersion, *, content_type: str) -> str:
        """URL under which anybody may read a version for a few minutes."""
        ...


class MessageQueue(Protocol):
    """SQS, as seen by its consumer."""

    def delete(self, receipt_handles: Sequence[str]) -> None:
        """Take messages that were dealt with off the queue."""
        ...

    def retry(self, receipt_handle: str, *, after_seconds: int) -> None:
        """Let a message that failed come again after this time, and not when its time-out is over."""
        ...


# --- records ----------------------------------------------------------------------------------


class ClaimOutcome(Enum):
    """What a claim of an instance found."""

    NEW = "nobody had claimed it"
    INCOMPLETE = "the same content was claimed, but not completed"
    COMPLETE = "the same content is complete"
    OTHER_CONTENT = "another content was there first"


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """One registered instance.

    `qido` holds the attributes of all three levels; `metadata` the gzip-compressed JSON array of one
    data set, or None where it lies in the static object only (too large for an item).
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
    """DynamoDB. Every method raises ServiceFaultError when the service fails."""

    def claim_instance(
        self, uids: ResourceUids, *, sha256: str, landing: ObjectVersion, stored_at: datetime
    ) -> ClaimOutcome:
        """Register the content of an instance; the first content wins, whoever comes later is told."""
        ...

    def complete_instance(self, uids: ResourceUids, *, qido: DicomJson, metadata: bytes | None) -> None:
        """Add what the aggregates need; from now on the instance is part of its study."""
        ...

    def get_instance(self, uids: ResourceUids) -> InstanceRecord | None:
        """Read one record, complete or only claimed."""
        ...

    def get_digests(self, instances: Sequence[ResourceUids]) -> Mapping[ResourceUids, str]:
        """SHA-256 of those of the instances that are registered (any number of them)."""
        ...

    def list_instances(self, study_instance_uid: str) -> Iterator[InstanceRecord]:
        """All complete instances of a study, strongly consistent."""
        ...

    def put_qido_answers(self, study_instance_uid: str, study: DicomJson, series: Mapping[str, DicomJson]) -> None:
        """Keep the ready answers of a study and of its (changed) series."""
        ...

    def get_qido_answers(self, keys: Sequence[ResourceUids]) -> Mapping[ResourceUids, DicomJson]:
        """Ready answers of studies, series and instances; those that are not there are left out."""
        ...

    def get_instance_metadata(self, keys: Sequence[ResourceUids]) -> Mapping[ResourceUids, bytes | None]:
        """`InstanceRecord.metadata` of instances; those that are not there are left out."""
        ...

    def put_rejection(self, rejection: Rejection) -> None:
        """Record a landing object that will never be published."""
        ...

    def list_rejections(self) -> Iterator[Rejection]:
        """All rejected landing objects, in no order."""
        ...


# --- index ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AggregateState:
    """The version of an aggregate that the index knows: its object's ETag and what it was made of."""

    etag: str
    digest: str


@dataclass(frozen=True, slots=True)
class StudyPublication:
    """All that search needs of one study, derived from its registered instances.

    The JSON documents hold each level's own attributes, computed ones (counts, ModalitiesInStudy)
    and the UIDs of the levels above. `instances` are all of the study; those the index has are kept.
    `aggregates` maps "" (the study's metadata) or a SeriesInstanceUID to the version just written.
    """

    study_instance_uid: str
    study: DicomJson
    series: Mapping[str, DicomJson]
    instances: Iterable[DicomJson]
    aggregates: Mapping[str, AggregateState]


class PublicationTurn(Protocol):
    """The turn of one publisher of a study, under the study's lock."""

    def published_version(self) -> int:
        """Version that the index shows; 0 before the first publication."""
        ...

    def dirty_version(self) -> int:
        """Latest version that somebody asked to publish."""
        ...

    def aggregates(self) -> Mapping[str, AggregateState]:
        """What StudyPublication.aggregates said last time."""
        ...

    def ensure_held(self) -> None:
        """Raise ServiceFaultError if the lock was lost."""
        ...

    def commit(self, version: int, publication: StudyPublication) -> None:
        """Write all rows and `version` as published, in one transaction."""
        ...


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Keys of the hits of one page in order, and how many more follow it; not `all_counted`, at least so many."""

    keys: list[ResourceUids]
    remaining: int
    all_counted: bool = True


class StudyIndex(Protocol):
    """MySQL. Every method raises ServiceFaultError when the service fails."""

    def mark_dirty(self, study_instance_uid: str) -> int:
        """Ask for a publication of the study; returns the version that will cover this request."""
        ...

    def turn(self, study_instance_uid: str) -> AbstractContextManager[PublicationTurn]:
        """Wait for the study's lock; ServiceFaultError where it is not had in time."""
        ...

    def search(self, query: QidoQuery) -> SearchPage:
        """Find; total, stable order with a tie-break on the UIDs.

        Raises
        ------
        SearchTooBroadError
            If it takes too long.
        """
        ...


# --- landing ----------------------------------------------------------------------------------


class LandingUpload(Protocol):
    """One landing object that is written in blocks; it comes into being only when it is completed."""

    def append(self, block: bytes) -> None:
        """Send the next block; all but the last hold at least 5 MiB (S3's rule)."""
        ...

    def complete(self) -> None:
        """Make the object; when this returns, it is durable."""
        ...

    def abort(self) -> None:
        """Drop what was sent. Never raises: a bucket rule sweeps what is left."""
        ...


class LandingStore(Protocol):
    """The bucket where instances arrive. Every method raises ServiceFaultError when the service fails."""

    def put(self, key: str, instance_bytes: bytes, sha256: str) -> None:
        """Write an instance whole; when this returns, it is durable.

        `sha256` is the hexadecimal digest of the bytes, for the service to check what it received.
        """
        ...

    def begin_upload(self, key: str) -> LandingUpload:
        """Start to write an instance in blocks."""
        ...
