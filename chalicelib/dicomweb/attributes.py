"""THE table of the attributes that search knows; parsing, SQL, index rows and answers follow from it. Pure.

A searchable attribute is one row here, one column in ``adapters/mysql/schema.sql`` and one test.
The tags and VRs stand here so that a search does not import a DICOM toolkit (its dictionary costs more
than the whole search function's start).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any

DicomJson = dict[str, Any]
"""A data set in the DICOM JSON Model, PS3.18 Annex F."""


class Level(IntEnum):
    """Level of a search, and of an attribute (PS3.18 §10.6.1.2.3); the deeper the larger."""

    STUDY = 0
    SERIES = 1
    INSTANCE = 2


class Matching(Enum):
    """How an attribute's values are compared (PS3.4 §C.2.2.2); each kind has one parser and one SQL form."""

    NONE = "not searchable"
    UID = "a UID, or a list of UIDs"
    TEXT = "case-sensitive text with wildcards"
    CODE = "case-sensitive text with wildcards, or a list of values"
    NAME = "person name with wildcards, without case and accents, in any component group"
    DATE = "date, or range of dates"
    TIME = "time of day, or range of them"
    NUMBER = "integer"
    SEQUENCE = "whether it has items; attributes in them are matched by their path"


class Returned(Enum):
    """When an answer of its level holds an attribute (PS3.18 §10.6.3.3)."""

    ASKED = "only where includefield or a matching key names it"
    KNOWN = "where it has a value"
    ALWAYS = "also without a value"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One row of the table.

    Parameters
    ----------
    keyword, tag, vr
        As in PS3.6; `tag` is eight upper-case hexadecimal digits.
    level
        The level whose attribute it is.
    matching
        Kind of comparison; NONE where it is only returned.
    returned
        When an answer of its level holds it.
    column
        Column of its level's SQL table; for names, that of the alphabetic group.
    sequence
        Tag of the sequence in whose items it stands, None at top level.
    any_of
        Keyword of the deeper level's attribute of which this one is the collection
        (ModalitiesInStudy: it matches where any series' Modality does).
    time_keyword
        Of a date: keyword of the time of day that a combined range takes with it.
    also_above
        Whether the documents of the levels above hold it too.
    ends_indexed
        Whether the index keeps all ends of its values, by which a text inside them is looked up; for
        texts of studies.
    """

    keyword: str
    tag: str
    vr: str
    level: Level
    matching: Matching = Matching.NONE
    returned: Returned = Returned.ASKED
    column: str | None = None
    sequence: str | None = None
    any_of: str | None = None
    time_keyword: str | None = None
    also_above: bool = False
    ends_indexed: bool = False

    @property
    def path(self) -> str:
        """Dotted path of tags, e.g. ``00400275.00400009``; the tag alone at top level."""
        return f"{self.sequence}.{self.tag}" if self.sequence else self.tag

    @property
    def multivalued(self) -> bool:
        """Whether it may have several values (its VM in PS3.6 is above 1); only collections may."""
        return self.any_of is not None

    @property
    def searchable(self) -> bool:
        """Whether it can be a matching key."""
        return self.matching is not Matching.NONE


_S, _E, _I = Level.STUDY, Level.SERIES, Level.INSTANCE
_M = Matching
_ALWAYS, _KNOWN, _ASKED = Returned.ALWAYS, Returned.KNOWN, Returned.ASKED
_REQUEST = "00400275"

# Returned by default: PS3.18 Tables 10.6.3-3 to 10.6.3-5, and what OHIF's lists show.
# fmt: off
ATTRIBUTES: tuple[Attribute, ...] = (
    # --- study
    Attribute("StudyDate", "00080020", "DA", _S, _M.DATE, _ALWAYS, "study_date", time_keyword="StudyTime"),
    Attribute("StudyTime", "00080030", "TM", _S, _M.TIME, _ALWAYS, "study_time"),
    Attribute("AccessionNumber", "00080050", "SH", _S, _M.TEXT, _ALWAYS, "accession_number", ends_indexed=True),
    Attribute("ModalitiesInStudy", "00080061", "CS", _S, _M.CODE, _ALWAYS, any_of="Modality"),
    Attribute("ReferringPhysicianName", "00080090", "PN", _S, _M.NAME, _ALWAYS, "referring_physician_name"),
    Attribute("StudyDescription", "00081030", "LO", _S, _M.TEXT, _ALWAYS, "study_description",
              ends_indexed=True),
    Attribute("PatientName", "00100010", "PN", _S, _M.NAME, _ALWAYS, "patient_name"),
    Attribute("PatientID", "00100020", "LO", _S, _M.TEXT, _ALWAYS, "patient_id", ends_indexed=True),
    Attribute("IssuerOfPatientID", "00100021", "LO", _S),
    Attribute("PatientBirthDate", "00100030", "DA", _S, _M.DATE, _ALWAYS, "patient_birth_date"),
    Attribute("PatientSex", "00100040", "CS", _S, _M.CODE, _ALWAYS, "patient_sex"),
    Attribute("PatientAge", "00101010", "AS", _S),
    Attribute("PatientSize", "00101020", "DS", _S),
    Attribute("PatientWeight", "00101030", "DS", _S),
    Attribute("StudyInstanceUID", "0020000D", "UI", _S, _M.UID, _ALWAYS, "study_instance_uid"),
    Attribute("StudyID", "00200010", "SH", _S, _M.TEXT, _ALWAYS, "study_id"),
    Attribute("NumberOfStudyRelatedSeries", "00201206", "IS", _S, returned=_ALWAYS),
    Attribute("NumberOfStudyRelatedInstances", "00201208", "IS", _S, returned=_ALWAYS),
    # --- series
    Attribute("SeriesDate", "00080021", "DA", _E, _M.DATE, _ASKED, "series_date", time_keyword="SeriesTime"),
    Attribute("SeriesTime", "00080031", "TM", _E, _M.TIME, _ASKED, "series_time"),
    Attribute("Modality", "00080060", "CS", _E, _M.CODE, _ALWAYS, "modality"),
    Attribute("Manufacturer", "00080070", "LO", _E),
    Attribute("StationName", "00081010", "SH", _E),
    Attribute("SeriesDescription", "0008103E", "LO", _E, _M.TEXT, _ALWAYS, "series_description"),
    Attribute("ManufacturerModelName", "00081090", "LO", _E),
    Attribute("BodyPartExamined", "00180015", "CS", _E),
    Attribute("ProtocolName", "00181030", "LO", _E),
    Attribute("SeriesInstanceUID", "0020000E", "UI", _E, _M.UID, _ALWAYS, "series_instance_uid"),
    Attribute("SeriesNumber", "00200011", "IS", _E, _M.NUMBER, _ALWAYS, "series_number"),
    Attribute("Laterality", "00200060", "CS", _E),
    Attribute("NumberOfSeriesRelatedInstances", "00201209", "IS", _E, returned=_ALWAYS),
    Attribute("PerformedProcedureStepStartDate", "00400244", "DA", _E, _M.DATE, _ALWAYS,
              "performed_procedure_step_start_date", time_keyword="PerformedProcedureStepStartTime"),
    Attribute("PerformedProcedureStepStartTime", "00400245", "TM", _E, _M.TIME, _ALWAYS,
              "performed_procedure_step_start_time"),
    Attribute("RequestAttributesSequence", _REQUEST, "SQ", _E, _M.SEQUENCE, _ALWAYS),
    Attribute("ScheduledProcedureStepID", "00400009", "SH", _E, _M.TEXT, _ASKED,
              "scheduled_procedure_step_id", sequence=_REQUEST),
    Attribute("RequestedProcedureID", "00401001", "SH", _E, _M.TEXT, _ASKED,
              "requested_procedure_id", sequence=_REQUEST),
    # --- instance
    Attribute("SOPClassUID", "00080016", "UI", _I, _M.UID, _ALWAYS, "sop_class_uid"),
    Attribute("SOPInstanceUID", "00080018", "UI", _I, _M.UID, _ALWAYS, "sop_instance_uid"),
    Attribute("TimezoneOffsetFromUTC", "00080201", "SH", _I, returned=_KNOWN, also_above=True),
    Attribute("AvailableTransferSyntaxUID", "00083002", "UI", _I, returned=_KNOWN),
    Attribute("InstanceNumber", "00200013", "IS", _I, _M.NUMBER, _ALWAYS, "instance_number"),
    Attribute("NumberOfFrames", "00280008", "IS", _I, returned=_KNOWN),
    Attribute("Rows", "00280010", "US", _I, returned=_KNOWN),
    Attribute("Columns", "00280011", "US", _I, returned=_KNOWN),
    Attribute("BitsAllocated", "00280100", "US", _I, returned=_KNOWN),
)
# fmt: on

# Every answer holds these; they are made with it and are in no table or document.
TAG_OF_COMPUTED = {
    "SpecificCharacterSet": "00080005",
    "InstanceAvailability": "00080056",
    "RetrieveURL": "00081190",
}

KEYWORD_OF_COMPUTED_TAG = {tag: keyword for keyword, tag in TAG_OF_COMPUTED.items()}

BY_PATH = {attribute.path: attribute for attribute in ATTRIBUTES}
BY_KEYWORD = {attribute.keyword: attribute for attribute in ATTRIBUTES}
TAG_OF_KEYWORD = {attribute.keyword: attribute.tag for attribute in ATTRIBUTES}
KEYWORD_OF_TAG = {attribute.tag: attribute.keyword for attribute in ATTRIBUTES}

STUDY_INSTANCE_UID = BY_KEYWORD["StudyInstanceUID"]
SERIES_INSTANCE_UID = BY_KEYWORD["SeriesInstanceUID"]
SOP_INSTANCE_UID = BY_KEYWORD["SOPInstanceUID"]
UID_OF_LEVEL = {
    Level.STUDY: STUDY_INSTANCE_UID,
    Level.SERIES: SERIES_INSTANCE_UID,
    Level.INSTANCE: SOP_INSTANCE_UID,
}

_TOP = {attribute.tag: attribute for attribute in ATTRIBUTES if attribute.sequence is None}
_ITEM_TAGS: dict[str, set[str]] = {}
for _attribute in ATTRIBUTES:
    if _attribute.sequence is not None:
        _ITEM_TAGS.setdefault(_attribute.sequence, set()).add(_attribute.tag)


def attributes_of(level: Level) -> Iterator[Attribute]:
    """Top-level attributes that a document of `level` holds as its own, in the table's order."""
    for attribute in _TOP.values():
        if attribute.level is level or (attribute.also_above and level < attribute.level):
            yield attribute


_TAGS_OF_LEVEL = {level: {attribute.tag for attribute in attributes_of(level)} for level in Level}


def index_attributes(dicom_json: DicomJson) -> DicomJson:
    """Those elements of an instance that the table knows, at any level, sorted by tag.

    Items of a sequence are narrowed to the attributes that the table has in them. The source's
    elements are shared, not copied.
    """
    return {tag: _narrowed(tag, element) for tag, element in sorted(dicom_json.items()) if tag in _TOP}


def level_attributes(dicom_json: DicomJson, level: Level) -> DicomJson:
    """Those elements that belong to a document of `level`: its own, and the UIDs of the levels above."""
    wanted = _TAGS_OF_LEVEL[level] | {UID_OF_LEVEL[above].tag for above in Level if above < level}
    return {tag: element for tag, element in dicom_json.items() if tag in wanted}


def _narrowed(tag: str, element: Any) -> Any:
    item_tags = _ITEM_TAGS.get(tag)
    if item_tags is None or not isinstance(element, dict) or not isinstance(element.get("Value"), list):
        return element
    items = [
        {name: value for name, value in item.items() if name in item_tags}
        for item in element["Value"]
        if isinstance(item, dict)
    ]
    return {"vr": "SQ", "Value": items}
