"""Builders for tests of search: documents of the DICOM JSON Model, publications, and a record store of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.dicomweb.attributes import BY_KEYWORD, DicomJson, Level
from chalicelib.dicomweb.qido.query import QidoQuery
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.ports import AggregateState, SearchPage, StudyIndex, StudyPublication


def element(keyword: str, value: Any) -> DicomJson:
    """One element; the component groups of a person name are separated by ``=``; None gives an empty element."""
    attribute = BY_KEYWORD[keyword]
    if value is None:
        return {"vr": attribute.vr}
    values = value if isinstance(value, list) else [value]
    if attribute.vr == "PN":
        names = ("Alphabetic", "Ideographic", "Phonetic")
        values = [
            {name: group for name, group in zip(names, text.split("="), strict=False) if group} for text in values
        ]
    return {"vr": attribute.vr, "Value": values}


def document(**attributes: Any) -> DicomJson:
    """A document by keywords, sorted by tag."""
    made = {BY_KEYWORD[keyword].tag: element(keyword, value) for keyword, value in attributes.items()}
    return dict(sorted(made.items()))


@dataclass
class SeriesBuilder:
    """A series by its UID, its own attributes, and those of its instances (by SOPInstanceUID)."""

    uid: str
    attributes: dict[str, Any] = field(default_factory=dict)
    instances: dict[str, dict[str, Any]] = field(default_factory=dict)


def make_series(
    uid: str, instances: Sequence[str] | Mapping[str, dict[str, Any]] = (), **attributes: Any
) -> SeriesBuilder:
    """A series; `instances` are UIDs, or UIDs with attributes."""
    members = dict(instances) if isinstance(instances, Mapping) else {name: {} for name in instances}
    return SeriesBuilder(uid, attributes, members)


def make_publication(
    study_uid: str,
    series: Sequence[SeriesBuilder] = (),
    aggregates: Mapping[str, AggregateState] | None = None,
    **attributes: Any,
) -> StudyPublication:
    """A publication with the computed attributes (counts, modalities) that follow from its series."""
    modalities = sorted({one.attributes["Modality"] for one in series if one.attributes.get("Modality")})
    study = document(
        StudyInstanceUID=study_uid,
        ModalitiesInStudy=modalities or None,
        NumberOfStudyRelatedSeries=len(series),
        NumberOfStudyRelatedInstances=sum(len(one.instances) for one in series),
        **attributes,
    )
    return StudyPublication(
        study_instance_uid=study_uid,
        study=study,
        series={
            one.uid: document(
                StudyInstanceUID=study_uid,
                SeriesInstanceUID=one.uid,
                NumberOfSeriesRelatedInstances=len(one.instances),
                **one.attributes,
            )
            for one in series
        },
        instances=[
            document(
                StudyInstanceUID=study_uid,
                SeriesInstanceUID=one.uid,
                SOPInstanceUID=sop_uid,
                **{"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2", **own},
            )
            for one in series
            for sop_uid, own in one.instances.items()
        ],
        aggregates=aggregates or {"": AggregateState('"etag"', "digest")},
    )


def publish(index: StudyIndex, publication: StudyPublication) -> int:
    """Publish as the service does; returns the version."""
    requested = index.mark_dirty(publication.study_instance_uid)
    with index.turn(publication.study_instance_uid) as turn:
        turn.commit(turn.dirty_version(), publication)
    return requested


def search(index: StudyIndex, level: Level, *pairs: tuple[str, str], **path: str) -> SearchPage:
    """Search by names and values of a query string; `path` has the UIDs that the path names."""
    return index.search(QidoQuery.parse(level, pairs, **path))


class AnsweringRecords:
    """The part of a RecordStore that a search needs, filled from publications."""

    def __init__(self, *publications: StudyPublication) -> None:
        self.answers: dict[ResourceUids, DicomJson] = {}
        self.metadata: dict[ResourceUids, bytes | None] = {}
        self.calls: list[list[ResourceUids]] = []
        for publication in publications:
            self.add(publication)

    def add(self, publication: StudyPublication) -> None:
        study_uid = publication.study_instance_uid
        self.answers[ResourceUids(study_uid)] = publication.study
        for series_uid, series in publication.series.items():
            self.answers[ResourceUids(study_uid, series_uid)] = series
        for instance in publication.instances:
            key = ResourceUids(study_uid, instance["0020000E"]["Value"][0], instance["00080018"]["Value"][0])
            # As in the archive, an instance's record holds the attributes of all levels.
            series = publication.series[key.series_instance_uid or ""]
            self.answers[key] = {**publication.study, **series, **instance}

    def get_qido_answers(self, keys: Sequence[ResourceUids]) -> Mapping[ResourceUids, DicomJson]:
        self.calls.append(list(keys))
        return {key: self.answers[key] for key in keys if key in self.answers}

    def get_instance_metadata(self, keys: Sequence[ResourceUids]) -> Mapping[ResourceUids, bytes | None]:
        return {key: self.metadata[key] for key in keys if key in self.metadata}
