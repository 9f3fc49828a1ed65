"""Addresses of DICOMweb resources: UIDs, URL paths, and keys of the static objects (key = URL path). Pure."""

import re
from dataclasses import dataclass

from chalicelib.dicomweb.attributes import UID_OF_LEVEL, DicomJson, Level
from chalicelib.errors import InvalidUidError

_UID_PATTERN = re.compile(r"[0-9]+(\.[0-9]+)*\Z")
_MAX_UID_LENGTH = 64

_ROOT = "dicomweb"
_SEGMENTS = ("studies", "series", "instances")
_NAMES = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


def check_uid(text: str, name: str = "UID") -> str:
    """Return `text` if it is a valid UID.

    PS3.5 §9.1 allows digits and dots, at most 64 characters. It forbids a leading zero in a component,
    but real files contain such UIDs. They are accepted, since they are safe in keys and paths.

    Raises
    ------
    InvalidUidError
        The text is not a valid UID. The message contains `name`, never the text itself.
    """
    if len(text) > _MAX_UID_LENGTH or not _UID_PATTERN.match(text):
        raise InvalidUidError(f"{name} is not a valid DICOM UID (digits and dots, at most 64)")
    return text


@dataclass(frozen=True, slots=True)
class ResourceUids:
    """The address of a study, a series or an instance (PS3.18 §10.1.1); UIDs below its level are None.

    Addresses sort by their UIDs: a study comes before its series, a series before its instances.

    Raises
    ------
    InvalidUidError
        A UID is not valid, or the series of an instance is missing.
    """

    study_instance_uid: str
    series_instance_uid: str | None = None
    sop_instance_uid: str | None = None

    def __post_init__(self) -> None:
        if self.sop_instance_uid is not None and self.series_instance_uid is None:
            raise InvalidUidError("the address of an instance must contain the UID of its series")
        for uid, name in zip(self.uids, _NAMES, strict=False):
            check_uid(uid, name)

    def __lt__(self, other: "ResourceUids") -> bool:
        return self.uids < other.uids

    @property
    def uids(self) -> tuple[str, ...]:
        """One to three UIDs, the study's first."""
        uids = (self.study_instance_uid, self.series_instance_uid, self.sop_instance_uid)
        return tuple(uid for uid in uids if uid is not None)

    @property
    def level(self) -> Level:
        """Level of the addressed resource."""
        return Level(len(self.uids) - 1)

    @property
    def elements(self) -> DicomJson:
        """The UIDs as elements of a data set in the DICOM JSON Model.

        A file may encode a UID with padding or another VR. Documents therefore get the UIDs from the address.
        """
        return {
            UID_OF_LEVEL[level].tag: {"vr": "UI", "Value": [uid]} for level, uid in zip(Level, self.uids, strict=False)
        }

    def at(self, level: Level) -> "ResourceUids":
        """Return the address of the study or series that contains this resource; its own at its own level."""
        return ResourceUids(*self.uids[: level + 1])

    @property
    def path(self) -> str:
        """Path below the DICOMweb root, e.g. ``studies/1/series/2/instances/3``."""
        return "/".join(f"{segment}/{uid}" for segment, uid in zip(_SEGMENTS, self.uids, strict=False))

    @property
    def key(self) -> str:
        """Key of the resource in the static bucket, or the prefix of keys below it: ``dicomweb/`` + path."""
        return f"{_ROOT}/{self.path}"
