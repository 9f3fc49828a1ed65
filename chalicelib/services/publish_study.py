"""Publishes a study: derives its documents and its metadata from its instances. Nothing else writes them.

Strategy: a publisher requests a version after instances were completed, then waits for the study's lock. The
first one to acquire it publishes for all that have requested a version so far; the others find their version
covered and return. An aggregate only replaces the version that the index knows, so a publisher that lost its
lock cannot overwrite a newer one.
"""

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.dicomweb.attributes import Level
from chalicelib.dicomweb.compression import compress
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.dicomweb.values import parse_integer
from chalicelib.dicomweb.wado.static_object import REVALIDATED, StaticObject, metadata_object
from chalicelib.dicomweb.wado.study_documents import StudyDocuments, derive_documents, join_metadata, text_of
from chalicelib.errors import PreconditionFailedError
from chalicelib.ports import (
    AggregateState,
    InstanceRecord,
    ObjectStore,
    PublicationTurn,
    RecordStore,
    StudyIndex,
    StudyPublication,
)

logger = logging.getLogger(__name__)

# Name of the study's aggregate among those of its series.
_STUDY = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishStudy:
    """The use case."""

    index: StudyIndex
    records: RecordStore
    objects: ObjectStore
    static_bucket: str

    def publish(self, study_instance_uid: str) -> bool:
        """Make the completed instances of a study visible.

        Returns
        -------
        bool
            Whether this call published; False if another publisher covered it, or there is nothing to publish.

        Raises
        ------
        ServiceFaultError
            A service failed, or the study lock could not be acquired in time; the same call may succeed later.
        """
        requested = self.index.mark_dirty(study_instance_uid)
        with self.index.turn(study_instance_uid) as turn:
            if turn.published_version() >= requested:
                return False
            version = turn.dirty_version()
            instances = sorted(self.records.list_instances(study_instance_uid), key=_stored_order)
            if not instances:
                return False
            documents = derive_documents([{**instance.qido, **instance.uids.elements} for instance in instances])
            aggregates, changed = self._write_aggregates(turn, study_instance_uid, instances)
            self.records.put_qido_answers(
                study_instance_uid,
                documents.study,
                {uid: document for uid, document in documents.series.items() if uid in changed},
            )
            turn.commit(version, _publication(study_instance_uid, documents, aggregates))
        logger.info(
            "study published",
            extra={"study_instance_uid": study_instance_uid, "instances": len(instances), "version": version},
        )
        return True

    def _write_aggregates(
        self, turn: PublicationTurn, study_instance_uid: str, instances: Sequence[InstanceRecord]
    ) -> tuple[dict[str, AggregateState], set[str]]:
        """Write the metadata of the series that changed, then of the study.

        Returns
        -------
        tuple
            State of every aggregate, and the names of those that were written.
        """
        known = turn.aggregates()
        states: dict[str, AggregateState] = {}
        changed = set()
        for name, key, members in _aggregates(study_instance_uid, instances):
            digest = _digest(members)
            if name in known and known[name].digest == digest:
                states[name] = known[name]
                continue
            text = join_metadata(self._metadata(member) for member in members)
            aggregate = metadata_object(key, compress(text), REVALIDATED)
            etag = self._replace(turn, aggregate, known[name].etag if name in known else None)
            states[name] = AggregateState(etag, digest)
            changed.add(name)
        return states, changed

    def _metadata(self, instance: InstanceRecord) -> bytes:
        if instance.metadata is not None:
            return instance.metadata
        return self.objects.get_bytes(self.static_bucket, f"{instance.uids.key}/metadata")

    def _replace(self, turn: PublicationTurn, aggregate: StaticObject, replaces: str | None) -> str:
        try:
            return self.objects.put_aggregate(self.static_bucket, aggregate, replaces)
        except PreconditionFailedError:
            # Either a publisher died between this write and its commit: then its object may be replaced. Or this
            # publisher lost the lock: then it must not write.
            head = self.objects.head(self.static_bucket, aggregate.key)
            turn.ensure_held()
            return self.objects.put_aggregate(self.static_bucket, aggregate, head.etag if head else None)


def _stored_order(instance: InstanceRecord) -> tuple[object, ...]:
    return (instance.stored_at, instance.uids)


def _aggregates(
    study_instance_uid: str, instances: Sequence[InstanceRecord]
) -> Iterable[tuple[str, str, list[InstanceRecord]]]:
    """Name and key of each aggregate, and its members in the order in which its metadata lists them."""
    ordered = sorted(instances, key=_listed_order)
    by_series: dict[ResourceUids, list[InstanceRecord]] = {}
    for instance in ordered:
        by_series.setdefault(instance.uids.at(Level.SERIES), []).append(instance)
    for series, members in by_series.items():
        yield series.series_instance_uid or "", series.key, members
    yield _STUDY, ResourceUids(study_instance_uid).key, ordered


def _listed_order(instance: InstanceRecord) -> tuple[object, ...]:
    number = parse_integer(text_of(instance.qido, "InstanceNumber"))
    return (instance.uids.series_instance_uid, number or 0, instance.uids)


def _digest(members: Sequence[InstanceRecord]) -> str:
    digest = hashlib.sha256()
    for member in members:
        digest.update(f"{member.uids.sop_instance_uid} {member.sha256}\n".encode())
    return digest.hexdigest()


def _publication(
    study_instance_uid: str, documents: StudyDocuments, aggregates: Mapping[str, AggregateState]
) -> StudyPublication:
    return StudyPublication(
        study_instance_uid=study_instance_uid,
        study=documents.study,
        series=documents.series,
        instances=documents.instances,
        aggregates=aggregates,
    )
