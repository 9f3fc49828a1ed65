"""Which media type a search is answered in (PS3.18 §8.7.8, §10.6.3). Pure."""

from chalicelib.errors import NotAcceptableError

DICOM_JSON = "application/dicom+json"
JSON = "application/json"

# In the order of preference; a wildcard stands for the default.
_ANSWERED = {DICOM_JSON: DICOM_JSON, JSON: JSON, "application/*": DICOM_JSON, "*/*": DICOM_JSON}


def choose_media_type(accept: str | None) -> str:
    """Choose by the Accept header; absent or empty means anything.

    Raises
    ------
    NotAcceptableError
        If every member of the list is something else, or refused by ``q=0``.
    """
    if accept is None or not accept.strip():
        return DICOM_JSON
    best: tuple[float, str] | None = None
    for member in accept.split(","):
        media_type, *parameters = (part.strip().lower() for part in member.split(";"))
        quality = _quality(parameters)
        answered = _ANSWERED.get(media_type)
        if answered and quality > 0 and (best is None or quality > best[0]):
            best = (quality, answered)
    if best is None:
        raise NotAcceptableError(f"A search is answered in {DICOM_JSON} or {JSON}")
    return best[1]


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
