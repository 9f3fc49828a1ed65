"""StudyIndex in memory, for tests: it evaluates every condition on every document."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any

from chalicelib.adapters.memory.matching import all_match
from chalicelib.dicomweb.attributes import SERIES_INSTANCE_UID, SOP_INSTANCE_UID, DicomJson, Level
from chalicelib.dicomweb.qido.query import QidoQuery
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.dicomweb.values import first_value, parse_date, parse_time_span, plain_text
from chalicelib.errors import ServiceFaultError
from chalicelib.ports import AggregateState, PublicationTurn, SearchPage, StudyIndex, StudyPublication


@dataclass
class _Study:
    lock: threading.Lock = field(default_factory=threading.Lock)
    dirty: int = 0
    published: int = 0
    document: DicomJson = field(default_factory=dict)
    series: dict[str, DicomJson] = field(default_factory=dict)
    instances: dict[tuple[str, str], DicomJson] = field(default_factory=dict)
    aggregates: dict[str, AggregateState] = field(default_factory=dict)


class MemoryIndex(StudyIndex):
    """The index of studies, series and instances of one process.

    Parameters
    ----------
    lock_timeout_seconds
        How long a publisher waits for another publisher of the same study, in seconds.
    """

    def __init__(self, *, lock_timeout_seconds: float = 30) -> None:
        self._lock_timeout_seconds = lock_timeout_seconds
        self._studies: dict[str, _Study] = {}
        self._guard = threading.Lock()

    def mark_dirty(self, study_instance_uid: str) -> int:
        """Request a publication of the study; returns the version that will cover this request."""
        with self._guard:
            study = self._studies.setdefault(study_instance_uid, _Study())
            study.dirty += 1
            return study.dirty

    @contextmanager
    def turn(self, study_instance_uid: str) -> Iterator["MemoryPublicationTurn"]:
        """Wait for the study's lock, and hold it while the block runs."""
        with self._guard:
            study = self._studies.setdefault(study_instance_uid, _Study())
        if not study.lock.acquire(timeout=self._lock_timeout_seconds):
            raise ServiceFaultError("The study lock could not be acquired in time: another publisher holds it")
        turn = MemoryPublicationTurn(study, self._guard)
        try:
            yield turn
        finally:
            turn.held = False
            study.lock.release()

    def search(self, query: QidoQuery) -> SearchPage:
        """Find one page of hits, in a total and stable order."""
        with self._guard:
            hits = [
                (key, documents)
                for key, documents in self._entities(query.level)
                if query.study_instance_uid in (None, key.study_instance_uid)
                and query.series_instance_uid in (None, key.series_instance_uid)
                and all_match(query.conditions, documents)
            ]
        hits.sort(key=_order, reverse=query.level is Level.STUDY)
        page = hits[query.offset : query.offset + query.limit]
        return SearchPage([key for key, _ in page], max(len(hits) - query.offset - len(page), 0))

    def _entities(self, level: Level) -> Iterator[tuple[ResourceUids, Mapping[Level, DicomJson]]]:
        for study_uid, study in self._studies.items():
            if not study.published:
                continue
            if level is Level.STUDY:
                yield ResourceUids(study_uid), {Level.STUDY: study.document}
            if level is Level.SERIES:
                for series_uid, series in study.series.items():
                    yield (
                        ResourceUids(study_uid, series_uid),
                        {Level.STUDY: study.document, Level.SERIES: series},
                    )
            if level is Level.INSTANCE:
                for (series_uid, sop_uid), instance in study.instances.items():
                    yield (
                        ResourceUids(study_uid, series_uid, sop_uid),
                        {
                            Level.STUDY: study.document,
                            Level.SERIES: study.series[series_uid],
                            Level.INSTANCE: instance,
                        },
                    )


class MemoryPublicationTurn(PublicationTurn):
    """PublicationTurn over one study of a MemoryIndex."""

    def __init__(self, study: _Study, guard: threading.Lock) -> None:
        self._study = study
        self._guard = guard
        self.held = True

    def published_version(self) -> int:
        """Version that searches see; 0 before the first publication."""
        return self._study.published

    def dirty_version(self) -> int:
        """Latest version whose publication was requested."""
        with self._guard:
            return self._study.dirty

    def aggregates(self) -> Mapping[str, AggregateState]:
        """`StudyPublication.aggregates` of the last publication."""
        return dict(self._study.aggregates)

    def ensure_held(self) -> None:
        """Raise ServiceFaultError if the lock was lost."""
        if not self.held:
            raise ServiceFaultError("The study lock was lost; nothing was published")

    def commit(self, version: int, publication: StudyPublication) -> None:
        """Make the whole publication visible in one step."""
        self.ensure_held()
        instances = {
            (
                plain_text(first_value(document[SERIES_INSTANCE_UID.tag])),
                plain_text(first_value(document[SOP_INSTANCE_UID.tag])),
            ): document
            for document in publication.instances
        }
        with self._guard:
            self._study.document = publication.study
            self._study.series |= publication.series
            self._study.instances = instances | self._study.instances
            self._study.aggregates |= publication.aggregates
            self._study.dirty = max(self._study.dirty, version)
            self._study.published = max(self._study.published, version)


def _order(hit: tuple[ResourceUids, Mapping[Level, DicomJson]]) -> tuple[Any, ...]:
    key, documents = hit
    if key.series_instance_uid is None:
        # Latest first (the caller reverses): a study without a date comes last, one without a time last of its day.
        study = documents[Level.STUDY]
        day = parse_date(plain_text(first_value(study.get("00080020"))))
        span = parse_time_span(plain_text(first_value(study.get("00080030"))))
        return (
            (day is not None, day or date.min),
            (span is not None, span[0] if span else time.min),
            key.study_instance_uid,
        )
    if key.sop_instance_uid is None:
        return (key.series_instance_uid, key.study_instance_uid)
    return (key.sop_instance_uid, key.series_instance_uid, key.study_instance_uid)
