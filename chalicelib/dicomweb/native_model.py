"""Converts a data set from the DICOM JSON Model (PS3.18 Annex F) to the Native DICOM Model (PS3.19 §A.1). Pure."""

import re
from typing import Any
from xml.etree import ElementTree as ET  # only writes

from chalicelib.dicomweb.attributes import DicomJson
from chalicelib.dicomweb.data_dictionary import keyword_of_tag
from chalicelib.dicomweb.values import NAME_GROUPS, first_value, plain_text

_NAMESPACE = "http://dicom.nema.org/PS3.19/models/NativeDICOM"

# Characters that XML 1.0 cannot contain, not even escaped.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_PRIVATE_ELEMENT = re.compile(r"([0-9A-F]{3}[13579BDF])([1-9A-F][0-9A-F])([0-9A-F]{2})\Z")

# In the order of the XML schema.
_NAME_COMPONENTS = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")


def to_native_model(dicom_json: DicomJson) -> bytes:
    """Return one XML document in UTF-8, with an XML declaration.

    Characters that XML cannot contain (control characters of a broken source) become U+FFFD.
    """
    root = ET.Element("NativeDicomModel", {"xmlns": _NAMESPACE, "xml:space": "preserve"})
    _add_attributes(root, dicom_json)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _add_attributes(parent: ET.Element, dicom_json: DicomJson) -> None:
    for tag, element in sorted(dicom_json.items()):
        attribute = ET.SubElement(parent, "DicomAttribute", _identity(tag, element.get("vr", "UN"), dicom_json))
        if "BulkDataURI" in element:
            ET.SubElement(attribute, "BulkData", uri=_text(element["BulkDataURI"]))
        elif "InlineBinary" in element:
            ET.SubElement(attribute, "InlineBinary").text = _text(element["InlineBinary"])
        for number, value in enumerate(element.get("Value", ()), start=1):
            _add_value(attribute, element.get("vr"), str(number), value)


def _identity(tag: str, vr: str, dicom_json: DicomJson) -> dict[str, str]:
    identity = {"tag": tag, "vr": vr}
    private = _PRIVATE_ELEMENT.match(tag)
    if private:
        group, block, element = private.groups()
        creator = plain_text(first_value(dicom_json.get(f"{group}00{block}")))
        # The creator identifies a private element, so its block is left out: 00 stands for it, as in dcm4che.
        return {"tag": f"{group}00{element}", "vr": vr, "privateCreator": _text(creator)} if creator else identity
    keyword = keyword_of_tag(tag)
    return {**identity, "keyword": keyword} if keyword else identity


def _add_value(attribute: ET.Element, vr: str | None, number: str, value: Any) -> None:
    if value is None:  # an empty value among others: its number is skipped
        return
    if not isinstance(value, dict):
        ET.SubElement(attribute, "Value", number=number).text = _text(value)
    elif vr == "PN":
        _add_name(ET.SubElement(attribute, "PersonName", number=number), value)
    else:
        _add_attributes(ET.SubElement(attribute, "Item", number=number), value)


def _add_name(name: ET.Element, value: dict[str, Any]) -> None:
    for group in NAME_GROUPS:
        text = value.get(group)
        if text:
            components = zip(_NAME_COMPONENTS, str(text).split("^"), strict=False)
            parent = ET.SubElement(name, group)
            for component, part in components:
                if part:
                    ET.SubElement(parent, component).text = _text(part)


def _text(value: object) -> str:
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", str(value))
