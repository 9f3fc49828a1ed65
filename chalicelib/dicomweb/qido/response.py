"""Media type and body of the answer to a search (PS3.18 §8.7.3.2, §10.6.3). Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.dicomweb.attributes import DicomJson
from chalicelib.dicomweb.json_text import dump_json
from chalicelib.dicomweb.media_types import DICOM_JSON, DICOM_XML, JSON, MULTIPART_RELATED, Offer, choose
from chalicelib.dicomweb.multipart import multipart_body
from chalicelib.dicomweb.native_model import to_native_model
from chalicelib.errors import NotAcceptableError

# Upper limit of the bytes around one result in a body: a boundary and the header of a part.
AROUND_RESULT_BYTES = 128

# In order of preference; the first is the default.
_OFFERS = (Offer(DICOM_JSON), Offer(JSON), Offer(MULTIPART_RELATED, DICOM_XML))


def choose_media_type(accept: str | None) -> str:
    """Choose the media type by the Accept header; an absent or empty one accepts anything.

    Returns
    -------
    str
        ``application/dicom+json``, ``application/json`` or ``multipart/related`` (of
        ``application/dicom+xml``).

    Raises
    ------
    NotAcceptableError
        The list accepts none of these.
    BadRequestError
        The header cannot be parsed.
    """
    offer = choose(accept, _OFFERS)
    if offer is None:
        raise NotAcceptableError(
            f'a search is answered in {DICOM_JSON}, {JSON} or {MULTIPART_RELATED}; type="{DICOM_XML}"'
        )
    return offer.media_type


@dataclass(frozen=True, slots=True)
class AnswerFormat:
    """Writes results in one media type.

    Parameters
    ----------
    media_type
        As returned by `choose_media_type`.
    """

    media_type: str

    def render(self, result: DicomJson) -> bytes:
        """Encode one result: as an object for a JSON array, or as an XML document."""
        if self.media_type == MULTIPART_RELATED:
            return to_native_model(result)
        return dump_json(result)

    def assemble(self, results: Sequence[bytes]) -> tuple[str, bytes]:
        """Return the Content-Type and the body of all results; multipart/related needs at least one."""
        if self.media_type != MULTIPART_RELATED:
            return self.media_type, b"[" + b",".join(results) + b"]"
        digest = hashlib.sha256()
        for result in results:
            digest.update(result)
        return multipart_body(DICOM_XML, results, seed=digest.hexdigest())
