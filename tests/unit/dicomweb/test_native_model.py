"""DICOM JSON as XML of the Native DICOM Model (PS3.19 §A.1)."""

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.dicomweb.native_model import to_native_model

NAMESPACE = {"": "http://dicom.nema.org/PS3.19/models/NativeDICOM"}


def parse(dicom_json: dict) -> ET.Element:
    return ET.fromstring(to_native_model(dicom_json))


def test_a_document_has_declaration_namespace_and_preserved_space():
    text = to_native_model({}).decode()
    assert text.startswith("<?xml version='1.0' encoding='utf-8'?>")
    assert '<NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM" xml:space="preserve"' in text


def test_values_are_numbered_in_their_order_and_empty_ones_left_out():
    [attribute] = parse({"00080061": {"vr": "CS", "Value": ["CT", None, "MR"]}})
    assert attribute.attrib == {"tag": "00080061", "vr": "CS", "keyword": "ModalitiesInStudy"}
    assert [(value.get("number"), value.text) for value in attribute] == [("1", "CT"), ("3", "MR")]


def test_an_element_without_value_stands_alone_and_attributes_are_sorted():
    root = parse({"00201208": {"vr": "IS", "Value": [3]}, "00080050": {"vr": "SH"}})
    assert [(attribute.get("tag"), len(attribute)) for attribute in root] == [("00080050", 0), ("00201208", 1)]
    assert root.findtext("./DicomAttribute[@keyword='NumberOfStudyRelatedInstances']/Value", "", NAMESPACE) == "3"


def test_a_person_name_is_parted_into_groups_and_components():
    value = {"Alphabetic": "Yamada^Tarou^^Dr.", "Ideographic": "山田^太郎"}
    [attribute] = parse({"00100010": {"vr": "PN", "Value": [value]}})
    [name] = attribute
    assert name.get("number") == "1"
    parts = [(group.tag.partition("}")[2], part.tag.partition("}")[2], part.text) for group in name for part in group]
    assert parts == [
        ("Alphabetic", "FamilyName", "Yamada"),
        ("Alphabetic", "GivenName", "Tarou"),
        ("Alphabetic", "NamePrefix", "Dr."),
        ("Ideographic", "FamilyName", "山田"),
        ("Ideographic", "GivenName", "太郎"),
    ]


def test_items_hold_attributes_of_their_own():
    item = {"00400009": {"vr": "SH", "Value": ["S"]}}
    root = parse({"00400275": {"vr": "SQ", "Value": [{}, item]}})
    assert root.findtext("./DicomAttribute/Item[@number='2']/DicomAttribute/Value", "", NAMESPACE) == "S"


def test_binary_values_are_inline_or_named():
    root = parse(
        {
            "00420011": {"vr": "OB", "InlineBinary": "AAE="},
            "7FE00010": {"vr": "OW", "BulkDataURI": "https://archive.example/?a=1&b=2"},
        }
    )
    assert root.findtext("./DicomAttribute/InlineBinary", "", NAMESPACE) == "AAE="
    [bulk_data] = root.findall("./DicomAttribute/BulkData", NAMESPACE)
    assert bulk_data.get("uri") == "https://archive.example/?a=1&b=2"


def test_a_private_attribute_is_known_by_its_creator():
    creator, private = parse({"00090011": {"vr": "LO", "Value": ["ACME"]}, "00091101": {"vr": "LO", "Value": ["x"]}})
    assert creator.attrib == {"tag": "00090011", "vr": "LO"}
    assert private.attrib == {"tag": "00090001", "vr": "LO", "privateCreator": "ACME"}


def test_a_private_attribute_without_creator_keeps_its_tag():
    [private] = parse({"00091101": {"vr": "LO"}})
    assert private.attrib == {"tag": "00091101", "vr": "LO"}


def test_keywords_beyond_the_table_come_from_the_dictionary():
    [attribute] = parse({"00180050": {"vr": "DS", "Value": [2.5]}})
    assert attribute.get("keyword") == "SliceThickness"


@given(st.text())
def test_any_text_makes_a_readable_document(text):
    [attribute] = parse({"00100020": {"vr": "LO", "Value": [text]}})
    [value] = attribute
    unwritable = [
        character
        for character in text
        if not (character in "\t\n\r" or "\x20" <= character <= "\ud7ff" or "\ue000" <= character <= "\ufffd"
                or character >= "\U00010000")
    ]  # fmt: skip
    if not unwritable and "\r" not in text:  # a reader turns a carriage return into a line feed
        assert (value.text or "") == text
