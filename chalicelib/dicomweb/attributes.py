"""The table of the attributes that search knows. Pure.

A row has these effects, in the order in which an instance and later a query reach them:

1. Conversion copies the element from the instance's data set into its record (`index_attributes`).
2. Publication derives the documents of the study, its series and its instances from the records. The element
   goes into the document of its `level`, and with `also_above` into those above, too (`level_attributes`).
   Collections and counts are computed here instead, in ``wado/study_documents.py``.
3. Publication also writes the rows of the SQL index. The value goes into `column`, in the table of the level
   (of the sequence, if it belongs to an item).
4. A query names the attribute by keyword, tag or path. `matching` selects the parser of the value
   (``qido/parse_match.py``) and the SQL condition; with NONE, the name is refused as a matching key.
5. `returned` decides whether an answer contains the attribute by default. ``includefield`` can ask for every
   attribute of the level that is searched and of the levels above.

The table does not create the column, the conformance statement or a test. A searchable attribute therefore
is one row here, one column in ``adapters/mysql/schema.sql``, one row in ``docs/conformance.md`` and one test;
CONTRIBUTING.md has the recipe.

Tags and VRs are written out here so that a search does not import a DICOM toolkit: loading its dictionary
takes longer than the start of the search function.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any

DicomJson = dict[str, Any]
"""A data set in the DICOM JSON Model, PS3.18 Annex F."""


class Level(IntEnum):
    """Level of a search and of an attribute (PS3.18 §10.6.1.2.3); a deeper level compares as larger."""

    STUDY = 0
    SERIES = 1
    INSTANCE = 2


class Matching(Enum):
    """How the values of an attribute are compared (PS3.4 §C.2.2.2); each kind has one parser and one SQL form."""

    NONE = "not searchable"
    UID = "a UID, or a list of UIDs"
    TEXT = "case-sensitive text with wildcards"
    CODE = "case-sensitive text with wildcards, or a list of values"
    NAME = "person name with wildcards, ignoring case and accents, in any component group"
    DATE = "date, or range of dates"
    TIME = "time of day, or range of times"
    NUMBER = "integer"
    SEQUENCE = "whether it has items; attributes of the items are matched by their path"


class Returned(Enum):
    """When an answer contains an attribute (PS3.18 §10.6.3.3)."""

    ASKED = "only if includefield or a matching key names it"
    KNOWN = "if it has a value"
    ALWAYS = "always; empty if it has no value"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One row of the table.

    Parameters
    ----------
    keyword, tag, vr
        As in PS3.6; `tag` is eight upper-case hexadecimal digits.
    level
        Level that the attribute belongs to.
    matching
        How its values are compared; NONE if it can only be returned.
    returned
        When an answer contains it.
    column
        Column in the SQL table of its level or `sequence`; None if it has none. For a name, the column of the
        alphabetic group.
    sequence
        Tag of the sequence whose items contain it; None at top level.
    any_of
        For a collection of the values of a deeper level: keyword of the attribute of that level.
        ModalitiesInStudy matches if the Modality of any series matches.
    time_keyword
        For a date: keyword of the time of day of the same event. Ranges of both are matched as one range of
        moments (PS3.4 §C.2.2.2.5).
    also_above
        Whether the documents of the levels above contain it, too.
    ends_indexed
        Whether the index stores every ending of its values, so that a text inside a value is found without
        a scan. Implemented for texts of studies only.
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
        """Whether it can have several values (VM above 1 in PS3.6); in this table only collections can."""
        return self.any_of is not None

    @property
    def searchable(self) -> bool:
        """Whether it can be a matching key."""
        return self.matching is not Matching.NONE


_S, _E, _I = Level.STUDY, Level.SERIES, Level.INSTANCE
_M = Matching
_ALWAYS, _KNOWN, _ASKED = Returned.ALWAYS, Returned.KNOWN, Returned.ASKED
_REQUEST = "00400275"

# Returned by default: PS3.18 Tables 10.6.3-3 to 10.6.3-5, and the columns of OHIF's lists.
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
    Attribute("IssuerOfPatientID", "00100021", "LO", _S, _M.TEXT, _ASKED, "issuer_of_patient_id"),
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

# Every answer contains these. They are computed with it, and stored in no document or SQL table.
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
    """Top-level attributes in a document of `level`, in the order of the table, without the UIDs of levels above."""
    for attribute in _TOP.values():
        if attribute.level is level or (attribute.also_above and level < attribute.level):
            yield attribute


_TAGS_OF_LEVEL = {level: {attribute.tag for attribute in attributes_of(level)} for level in Level}


def index_attributes(dicom_json: DicomJson) -> DicomJson:
    """Select the elements of an instance's data set that the table knows, of all levels, sorted by tag.

    Items of a sequence are reduced to the attributes that the table has for them. All other elements are
    shared with the source, not copied.
    """
    return {tag: _narrowed(tag, element) for tag, element in sorted(dicom_json.items()) if tag in _TOP}


def level_attributes(dicom_json: DicomJson, level: Level) -> DicomJson:
    """Select the elements of a document of `level`: its own attributes, and the UIDs of the levels above."""
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
