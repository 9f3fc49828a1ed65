"""DICOMweb resources as values: UIDs, their paths, and the keys of the static objects (key = URL path)."""

import re
from dataclasses import dataclass

from chalicelib.errors import InvalidUidError

_UID_PATTERN = re.compile(r"[0-9]+(\.[0-9]+)*\Z")
_MAX_UID_LENGTH = 64

STATIC_PREFIX = "dicomweb/studies"


def check_uid(text: str, name: str = "UID") -> str:
    """Return `text` if it can name a resource, else raise.

    PS3.5 §9.1: digits and dots, at most 64 characters. A component with a leading zero, which the
    standard forbids and real files hold, is let pass: it is safe in keys and paths.

    Raises
    ------
    InvalidUidError
        With `name` in its message, never the text itself.
    """
    if len(text) > _MAX_UID_LENGTH or not _UID_PATTERN.match(text):
        raise InvalidUidError(f"{name} is not a valid DICOM UID (digits and dots, at most 64)")
    return text


@dataclass(frozen=True, slots=True, order=True)
class InstanceUids:
    """The three UIDs that address an instance; checked when made.

    Raises
    ------
    InvalidUidError
        If one of them is no UID.
    """

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str

    def __post_init__(self) -> None:
        check_uid(self.study_instance_uid, "StudyInstanceUID")
        check_uid(self.series_instance_uid, "SeriesInstanceUID")
        check_uid(self.sop_instance_uid, "SOPInstanceUID")

    @property
    def path(self) -> str:
        """Path below the DICOMweb root, e.g. ``studies/1/series/2/instances/3``."""
        return f"studies/{self.study_instance_uid}/series/{self.series_instance_uid}/instances/{self.sop_instance_uid}"

    @property
    def key(self) -> str:
        """Key of the instance's static object, ``dicomweb/`` + path."""
        return f"dicomweb/{self.path}"


def study_key(study_instance_uid: str) -> str:
    """Key prefix of a study, without a trailing slash."""
    return f"{STATIC_PREFIX}/{study_instance_uid}"


def series_key(study_instance_uid: str, series_instance_uid: str) -> str:
    """Key prefix of a series, without a trailing slash."""
    return f"{STATIC_PREFIX}/{study_instance_uid}/series/{series_instance_uid}"
