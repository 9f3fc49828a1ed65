"""Search (QIDO-RS): a query becomes keys by the index, and the keys' ready documents become the answer."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.dicomweb.attributes import DicomJson, Level
from chalicelib.dicomweb.qido_query import QidoQuery
from chalicelib.dicomweb.qido_results import describe_hit, levels_shown
from chalicelib.ports import RecordKey, RecordStore, StudyIndex

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """One page of hits.

    Parameters
    ----------
    dicom_json
        One data set a hit, in the order of the index.
    remaining
        How many hits follow the page.
    warnings
        What the client must be told beside it: texts of Warning 299.
    """

    dicom_json: list[DicomJson]
    remaining: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchService:
    """The use case.

    Parameters
    ----------
    dicomweb_root
        What RetrieveURL begins with.
    """

    index: StudyIndex
    records: RecordStore
    dicomweb_root: str

    def search(self, query: QidoQuery) -> SearchAnswer:
        """Answer one search.

        A publication writes the documents before the index shows their keys, and they are read
        consistently, so each is there. Should one be missing nevertheless (an item deleted by hand), its
        hit is answered with its UIDs and RetrieveURL only, the client is warned and the fault is logged:
        to leave it out would deny that it exists, and to fail would hide all other studies behind one.

        Raises
        ------
        ServiceFaultError
            If the index or the records fail.
        """
        page = self.index.search(query)
        levels = levels_shown(query)
        documents = self._documents(page.keys, levels)
        answers = []
        incomplete = 0
        for key in page.keys:
            by_level = {level: documents.get(_key_at(key, level)) for level in levels}
            known = {level: document for level, document in by_level.items() if document is not None}
            if len(known) < len(levels):
                incomplete += 1
                logger.error("indexed entity has no document", extra=_log_fields(key))
            answers.append(describe_hit(query, _uids(key), known, self.dicomweb_root))
        return SearchAnswer(answers, page.remaining, _warnings(query, page.remaining, incomplete))

    def _documents(self, keys: list[RecordKey], levels: list[Level]) -> Mapping[RecordKey, DicomJson]:
        wanted = {_key_at(key, level): None for level in levels for key in keys}
        return self.records.get_qido_answers(list(wanted)) if wanted else {}


def _key_at(key: RecordKey, level: Level) -> RecordKey:
    return RecordKey(*_uids(key)[: level + 1])


def _uids(key: RecordKey) -> tuple[str, ...]:
    uids = (key.study_instance_uid, key.series_instance_uid, key.sop_instance_uid)
    return tuple(uid for uid in uids if uid is not None)


def _log_fields(key: RecordKey) -> dict[str, str]:
    names = ("study_instance_uid", "series_instance_uid", "sop_instance_uid")
    return dict(zip(names, _uids(key), strict=False))


def _warnings(query: QidoQuery, remaining: int, incomplete: int) -> tuple[str, ...]:
    warnings = list(query.warnings)
    if remaining:
        # The sentence of PS3.18 §8.3.4.4.
        warnings.insert(0, f"There are {remaining} additional results that can be requested")
    if incomplete:
        warnings.append(f"{incomplete} of the results are incomplete")
    return tuple(warnings)
