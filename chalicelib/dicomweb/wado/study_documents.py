"""Derives the search documents of a study, its series and its instances from the registered instances only. Pure.

Strategy: the documents are a function of the set of instances, so every order of arrival and every number of
publications leads to the same result. If instances disagree (a corrected name), the value of the one that was
stored last counts, among those that have a value.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chalicelib.dicomweb.attributes import BY_KEYWORD, TAG_OF_KEYWORD, DicomJson, Level, level_attributes
from chalicelib.dicomweb.compression import decompress

_COMPUTED = {
    TAG_OF_KEYWORD[keyword]
    for keyword in (
        "ModalitiesInStudy",
        "NumberOfStudyRelatedSeries",
        "NumberOfStudyRelatedInstances",
        "NumberOfSeriesRelatedInstances",
    )
}


@dataclass(frozen=True, slots=True)
class StudyDocuments:
    """QIDO documents of a study: `series` by SeriesInstanceUID, `instances` in the order of the source."""

    study: DicomJson
    series: dict[str, DicomJson]
    instances: list[DicomJson]


def derive_documents(instances: Sequence[DicomJson]) -> StudyDocuments:
    """Derive the documents of one study.

    Parameters
    ----------
    instances
        Attributes of the instances of the study, of all levels, as `index_attributes` returns them; at least
        one instance, sorted by the time of storing.
    """
    by_series: dict[str, list[DicomJson]] = {}
    for instance in instances:
        by_series.setdefault(text_of(instance, "SeriesInstanceUID"), []).append(instance)
    series = {uid: _series_document(members) for uid, members in sorted(by_series.items())}
    study = _latest_values(instances, Level.STUDY)
    modalities = sorted({text_of(document, "Modality") for document in series.values()} - {""})
    _set(study, "ModalitiesInStudy", modalities)
    _set(study, "NumberOfStudyRelatedSeries", [len(series)])
    _set(study, "NumberOfStudyRelatedInstances", [len(instances)])
    return StudyDocuments(
        dict(sorted(study.items())),
        series,
        [level_attributes(instance, Level.INSTANCE) for instance in instances],
    )


def text_of(document: DicomJson, keyword: str) -> str:
    """Return the first value of an attribute as text; "" if it has none.

    Raises
    ------
    KeyError
        `keyword` is not in the table of attributes.
    """
    values = document.get(TAG_OF_KEYWORD[keyword], {}).get("Value")
    return "" if not values or values[0] is None else str(values[0])


def join_metadata(compressed: Iterable[bytes]) -> bytes:
    """Join compressed JSON arrays of data sets into one array, not compressed, without parsing them."""
    return b"[" + b",".join(decompress(array)[1:-1] for array in compressed) + b"]"


def _series_document(members: Sequence[DicomJson]) -> DicomJson:
    document = _latest_values(members, Level.SERIES)
    _set(document, "NumberOfSeriesRelatedInstances", [len(members)])
    return dict(sorted(document.items()))


def _latest_values(instances: Sequence[DicomJson], level: Level) -> DicomJson:
    document: DicomJson = {}
    for instance in instances:
        for tag, element in level_attributes(instance, level).items():
            # An element without a value never replaces one that has a value.
            if tag not in _COMPUTED and (len(element) > 1 or tag not in document):
                document[tag] = element
    return document


def _set(document: DicomJson, keyword: str, values: list[str] | list[int]) -> None:
    attribute = BY_KEYWORD[keyword]
    document[attribute.tag] = {"vr": attribute.vr, "Value": values} if values else {"vr": attribute.vr}
