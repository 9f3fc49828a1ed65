"""Search (QIDO-RS): the index finds the addresses of the hits, and their stored documents make the answer."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from chalicelib.dicomweb.attributes import DicomJson
from chalicelib.dicomweb.compression import decompress
from chalicelib.dicomweb.qido.query import QidoQuery
from chalicelib.dicomweb.qido.response import AROUND_RESULT_BYTES
from chalicelib.dicomweb.qido.results import describe_hit, levels_shown
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.dicomweb.wado.representation import MAX_ANSWER_BYTES
from chalicelib.errors import ContentTooLargeError
from chalicelib.ports import RecordStore, StudyIndex

logger = logging.getLogger(__name__)

# Hits whose documents are read with one call: a batch of DynamoDB. A page that gets too large ends before all are read.
_READ_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """One page of hits.

    Parameters
    ----------
    results
        The rendered hits, in the order of the index.
    remaining
        Number of hits after this page, as far as they were counted.
    warnings
        Texts for headers `Warning: 299`.
    """

    results: list[bytes]
    remaining: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchService:
    """The use case.

    Parameters
    ----------
    dicomweb_root
        Beginning of each RetrieveURL.
    read_static
        Reads an object of the static bucket, by its key.
    max_bytes
        Limit of the results of one answer; the client requests the rest of a larger page.
    """

    index: StudyIndex
    records: RecordStore
    dicomweb_root: str
    read_static: Callable[[str], bytes]
    max_bytes: int = MAX_ANSWER_BYTES

    def search(self, query: QidoQuery, render: Callable[[DicomJson], bytes]) -> SearchAnswer:
        """Answer one search.

        A publication writes the documents before the index shows them, and they are read consistently, so
        they exist. If one is missing nevertheless (an item was deleted by hand), its hit is answered with its
        UIDs and RetrieveURL only, the client is warned and the fault is logged: leaving it out would deny that
        it exists, and failing would hide all other studies because of one.

        Raises
        ------
        SearchTooBroadError
            The index does not find the page in time.
        ContentTooLargeError
            The first result alone exceeds the size limit of an answer.
        ServiceFaultError
            The index or the record store failed.
        """
        page = self.index.search(query)
        results: list[bytes] = []
        room = self.max_bytes
        incomplete = 0
        for described, complete in self._describe(query, page.keys):
            result = render(described)
            room -= len(result) + AROUND_RESULT_BYTES
            if room < 0:
                break
            results.append(result)
            incomplete += not complete
        cut = len(page.keys) - len(results)
        if cut and not results:
            raise ContentTooLargeError(
                "one result alone exceeds the size limit of an answer: request fewer attributes by includefield"
            )
        remaining = page.remaining + cut
        warnings = _warnings(query, remaining, incomplete, all_counted=page.all_counted)
        return SearchAnswer(results, remaining, warnings)

    def _describe(self, query: QidoQuery, keys: Sequence[ResourceUids]) -> Iterator[tuple[DicomJson, bool]]:
        """Describe each hit, and tell whether all documents that it needs exist."""
        levels = levels_shown(query)
        documents: dict[ResourceUids, DicomJson] = {}
        for start in range(0, len(keys), _READ_AT_ONCE):
            batch = keys[start : start + _READ_AT_ONCE]
            wanted = {key.at(level) for level in levels for key in batch} - documents.keys()
            documents |= self.records.get_qido_answers(sorted(wanted))
            metadata = self.records.get_instance_metadata(batch) if query.fields.need_data_set else {}
            for key in batch:
                by_level = {level: documents.get(key.at(level)) for level in levels}
                known = {level: document for level, document in by_level.items() if document is not None}
                data_set = self._data_set(key, metadata)
                complete = len(known) == len(levels) and (data_set is not None or not query.fields.need_data_set)
                if not complete:
                    uids = {name: uid for name, uid in asdict(key).items() if uid}
                    logger.error("indexed entity has no document", extra=uids)
                yield describe_hit(query, key, known, self.dicomweb_root, data_set), complete

    def _data_set(self, key: ResourceUids, metadata: Mapping[ResourceUids, bytes | None]) -> DicomJson | None:
        if key not in metadata:
            return None
        # Metadata that is too large for the record is in the static object only.
        compressed = metadata[key] or self.read_static(f"{key.key}/metadata")
        data_set: DicomJson = json.loads(decompress(compressed))[0]
        return data_set


def _warnings(query: QidoQuery, remaining: int, incomplete: int, *, all_counted: bool) -> tuple[str, ...]:
    warnings = list(query.warnings)
    if remaining:
        # The sentence of PS3.18 §8.3.4.4; "at least" keeps it true if counting ended early.
        count = f"{remaining}" if all_counted else f"at least {remaining}"
        warnings.insert(0, f"There are {count} additional results that can be requested")
    if incomplete:
        warnings.append(f"{incomplete} of the results are incomplete")
    return tuple(warnings)
