"""The body of a search's answer (PS3.18 §10.6.3.3) in the media type that was chosen. Pure."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.dicomweb.attributes import DicomJson
from chalicelib.dicomweb.media_types import DICOM_XML, MULTIPART_RELATED
from chalicelib.dicomweb.multipart import multipart_body
from chalicelib.dicomweb.native_model import to_native_model

# At most so much stands around one result in a body: a boundary and the head of a part.
AROUND_RESULT_BYTES = 128


@dataclass(frozen=True, slots=True)
class AnswerFormat:
    """How results are written.

    Parameters
    ----------
    media_type
        As `choose_media_type` gives it.
    """

    media_type: str

    def render(self, result: DicomJson) -> bytes:
        """One result: an object of a JSON array, or an XML document."""
        if self.media_type == MULTIPART_RELATED:
            return to_native_model(result)
        # A lone surrogate, which JSON text can carry, has no UTF-8 form.
        return json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

    def assemble(self, results: Sequence[bytes]) -> tuple[str, bytes]:
        """Content-Type and body of all results; of multipart/related there is at least one."""
        if self.media_type != MULTIPART_RELATED:
            return self.media_type, b"[" + b",".join(results) + b"]"
        digest = hashlib.sha256()
        for result in results:
            digest.update(result)
        return multipart_body(DICOM_XML, results, seed=digest.hexdigest())
