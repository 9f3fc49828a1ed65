"""The attribute table, and the attributes of each level that it selects from a data set."""

import pydicom.datadict
import pytest

from chalicelib.dicomweb.attributes import (
    ATTRIBUTES,
    BY_KEYWORD,
    Level,
    Matching,
    attributes_of,
    index_attributes,
    level_attributes,
)
from tests.support.qido_builders import document


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda attribute: attribute.keyword)
def test_tag_and_vr_are_those_of_the_dictionary(attribute):
    assert pydicom.datadict.tag_for_keyword(attribute.keyword) == int(attribute.tag, 16)
    assert pydicom.datadict.dictionary_VR(attribute.tag) == attribute.vr
    assert attribute.tag == attribute.tag.upper()


def test_paths_and_columns_are_unique():
    paths = [attribute.path for attribute in ATTRIBUTES]
    columns = [(attribute.level, attribute.column) for attribute in ATTRIBUTES if attribute.column]
    assert len(set(paths)) == len(paths)
    assert len(set(columns)) == len(columns)


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda attribute: attribute.keyword)
def test_what_is_searchable_has_a_column_or_a_collection(attribute):
    if attribute.matching is Matching.SEQUENCE:
        assert any(item.sequence == attribute.tag and item.column for item in ATTRIBUTES)
        return
    assert (attribute.matching is not Matching.NONE) == bool(attribute.column or attribute.any_of)


REQUIRED_KEYS = {
    Level.STUDY: "StudyDate StudyTime AccessionNumber ModalitiesInStudy ReferringPhysicianName PatientName PatientID "
    "StudyInstanceUID StudyID StudyDescription PatientBirthDate PatientSex",
    Level.SERIES: "Modality SeriesInstanceUID SeriesNumber PerformedProcedureStepStartDate "
    "PerformedProcedureStepStartTime ScheduledProcedureStepID RequestedProcedureID SeriesDescription",
    Level.INSTANCE: "SOPClassUID SOPInstanceUID InstanceNumber",
}


@pytest.mark.parametrize(("level", "keywords"), REQUIRED_KEYS.items())
def test_all_keys_of_the_standard_can_be_searched_by(level, keywords):
    for keyword in keywords.split():
        assert BY_KEYWORD[keyword].searchable, keyword
        assert BY_KEYWORD[keyword].level is level, keyword


def test_index_attributes_keeps_what_the_table_knows_sorted_by_tag():
    data_set = {
        "00200011": {"vr": "IS", "Value": [3]},
        "00080005": {"vr": "CS", "Value": ["ISO_IR 100"]},
        "00080060": {"vr": "CS", "Value": ["CT"]},
        "00091001": {"vr": "LO", "Value": ["private"]},
        "7FE00010": {"vr": "OW", "BulkDataURI": "x"},
    }
    assert list(index_attributes(data_set).items()) == [
        ("00080060", {"vr": "CS", "Value": ["CT"]}),
        ("00200011", {"vr": "IS", "Value": [3]}),
    ]


def test_items_of_a_sequence_are_narrowed_to_what_the_table_knows():
    item = {
        "00400009": {"vr": "SH", "Value": ["SPS"]},
        "00400007": {"vr": "LO", "Value": ["a long description"]},
    }
    indexed = index_attributes({"00400275": {"vr": "SQ", "Value": [item, {}, None]}})
    assert indexed == {"00400275": {"vr": "SQ", "Value": [{"00400009": {"vr": "SH", "Value": ["SPS"]}}, {}]}}
    assert "00400007" in item


@pytest.mark.parametrize("element", [{"vr": "SQ"}, {"vr": "SQ", "Value": "hostile"}, None, "hostile"])
def test_a_sequence_without_items_is_left_as_it_is(element):
    assert index_attributes({"00400275": element}) == {"00400275": element}


def test_each_level_has_its_own_attributes_and_the_uids_above():
    instance = document(
        PatientID="P",
        StudyInstanceUID="1",
        SeriesInstanceUID="2",
        Modality="CT",
        SOPInstanceUID="3",
        InstanceNumber=1,
        TimezoneOffsetFromUTC="+0100",
    )
    assert level_attributes(instance, Level.STUDY) == document(
        PatientID="P", StudyInstanceUID="1", TimezoneOffsetFromUTC="+0100"
    )
    assert level_attributes(instance, Level.SERIES) == document(
        StudyInstanceUID="1", SeriesInstanceUID="2", Modality="CT", TimezoneOffsetFromUTC="+0100"
    )
    assert level_attributes(instance, Level.INSTANCE) == document(
        StudyInstanceUID="1",
        SeriesInstanceUID="2",
        SOPInstanceUID="3",
        InstanceNumber=1,
        TimezoneOffsetFromUTC="+0100",
    )


def test_items_are_no_attributes_of_a_level():
    assert "RequestedProcedureID" not in {attribute.keyword for attribute in attributes_of(Level.SERIES)}
