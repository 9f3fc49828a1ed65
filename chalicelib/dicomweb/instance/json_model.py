"""Converts a data set to the DICOM JSON Model (PS3.18 Annex F), with large binary values separated as bulk data.

One bad value never makes the conversion fail: a value that pydicom cannot convert becomes text, or is left empty.
"""

import math
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag
from pydicom.valuerep import STR_VR

from chalicelib.dicomweb.attributes import DicomJson
from chalicelib.dicomweb.instance.boundary import rejects
from chalicelib.dicomweb.instance.byte_range import ByteRange, swap_words
from chalicelib.dicomweb.instance.encapsulated_frames import join_fragments
from chalicelib.dicomweb.instance.json_values import (
    NUMBER_STRING_VRS,
    number_strings,
    person_names,
    without_value_if_empty,
)
from chalicelib.dicomweb.instance.part10 import Instance, is_deferred
from chalicelib.dicomweb.instance.structure import PIXEL_DATA, PIXEL_DATA_TAGS, ElementLocation

# Binary values up to this size are written into the JSON text; a separate static object would cost more.
INLINE_BYTES = 1024

# Bytes per word of each binary VR, PS3.5 Table 6.2-1.
_WORD_BYTES = {"OB": 1, "UN": 1, "OW": 2, "OL": 4, "OF": 4, "OV": 8, "OD": 8}
# PS3.6 leaves the VR of these open ("OB or OW"), and so does an implicit VR source; PS3.5 §A.1 decides for OW.
_AMBIGUOUS_BINARY = {"OB or OW", "OB/OW", "US or OW", "US or SS or OW"}

_TEXT_VRS = {str(vr) for vr in STR_VR} - {"PN"}  # pydicom accepts any bytes as a name
_NON_FINITE = {math.inf: "Infinity", -math.inf: "-Infinity"}


@dataclass(frozen=True, slots=True)
class BulkData:
    """One binary value that is kept outside the JSON text.

    `path` is its place in the data set, e.g. ``00420011`` or ``54000100.1.54001010`` (items are numbered
    from 1). `value` holds its bytes, little-endian, or their range in `Instance.file`.
    """

    path: str
    value: bytes | ByteRange


@rejects("the data set cannot be converted to JSON")
def to_json(instance: Instance, bulk_data_uri: Callable[[str], str]) -> tuple[DicomJson, list[BulkData]]:
    """Convert the data set of an instance.

    Parameters
    ----------
    bulk_data_uri
        Returns the BulkDataURI for the path of a value.

    Returns
    -------
    tuple
        The data set without group 0002, sorted by tag, and the values that its BulkDataURIs refer to.
        Pixel data has a BulkDataURI but is not among the values: it is served as frames.
    """
    converter = _Converter(bulk_data_uri, little_endian=instance.transfer_syntax.little_endian)
    dicom_json = converter.convert(instance.dataset, instance)
    for tag in PIXEL_DATA_TAGS:
        if tag in instance.elements:
            dicom_json[f"{tag:08X}"] = _pixel_data(instance.elements[tag], tag, bulk_data_uri)
    return dict(sorted(dicom_json.items())), converter.bulk_data


def _pixel_data(location: ElementLocation, tag: int, bulk_data_uri: Callable[[str], str]) -> DicomJson:
    vr = location.vr or ("OW" if tag == PIXEL_DATA else dictionary_VR(tag))
    return {"vr": vr} if location.length == 0 else {"vr": vr, "BulkDataURI": bulk_data_uri(f"{tag:08X}")}


class _Converter:
    """Converts one data set and collects its bulk data."""

    def __init__(self, bulk_data_uri: Callable[[str], str], *, little_endian: bool) -> None:
        self._uri = bulk_data_uri
        self._little_endian = little_endian
        self.bulk_data: list[BulkData] = []

    def convert(self, dataset: Dataset, instance: Instance | None = None, prefix: str = "") -> DicomJson:
        """Convert one nesting level. `instance` is given at the top level, where values may be deferred."""
        result: DicomJson = {}
        for tag, item in sorted(dataset.items()):
            # Group lengths (gggg,0000) have no meaning in JSON; group 2 is not part of the data set.
            if tag.element == 0 or tag.group <= 2:
                continue
            name = f"{tag:08X}"
            if instance is None:
                result[name] = self._element(dataset, tag, item, prefix + name)
            elif is_deferred(item):
                result[name] = self._deferred(dataset, instance, item, name)
            else:
                result[name] = self._element(dataset, tag, item, name)
        return result

    def _deferred(self, dataset: Dataset, instance: Instance, raw: RawDataElement, path: str) -> DicomJson:
        """Convert a value that was left in the file; it stays there if its bytes can be served unchanged."""
        vr = _vr(raw)
        if vr in _WORD_BYTES and (self._little_endian or _WORD_BYTES[vr] == 1):
            self.bulk_data.append(BulkData(path, ByteRange(raw.value_tell, raw.length)))
            return {"vr": vr, "BulkDataURI": self._uri(path)}
        loaded = raw._replace(value=instance.read_value(raw.tag))
        dataset[raw.tag] = loaded
        return self._element(dataset, raw.tag, loaded, path)

    def _element(self, dataset: Dataset, tag: BaseTag, item: RawDataElement | DataElement, path: str) -> DicomJson:
        try:
            vr = _vr(item)
            if vr in NUMBER_STRING_VRS:
                # Before pydicom converts it: of IS 0.8 it would keep 0.
                return without_value_if_empty(vr, number_strings(vr, item.value))
            element = dataset[tag]
            vr = _vr(element)
            if vr in _WORD_BYTES:
                return self._binary(element, vr, path)
            if vr == "SQ":
                return self._sequence(element, path)
            if vr in NUMBER_STRING_VRS:  # the file says UN, and the dictionary knows better
                return without_value_if_empty(vr, number_strings(vr, element.value))
            if vr == "PN":
                return without_value_if_empty(vr, person_names(element.value))
            json_element = _finite(element.to_json_dict(None, 0))
            if vr in _TEXT_VRS and len(json_element.get("Value", ())) > 1:
                return without_value_if_empty(vr, [None if value == "" else value for value in json_element["Value"]])
            return json_element
        except Exception:  # a hostile value may raise anything in pydicom, and only that value is lost
            return _without_value(item)

    def _sequence(self, element: DataElement, path: str) -> DicomJson:
        items = [self.convert(item, prefix=f"{path}.{number}.") for number, item in enumerate(element.value, 1)]
        return {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}

    def _binary(self, element: DataElement, vr: str, path: str) -> DicomJson:
        value = element.value
        if not value:
            return {"vr": vr}
        if element.tag == PIXEL_DATA and element.is_undefined_length:
            value = join_fragments(value)
        elif not self._little_endian:
            value = swap_words(value, _WORD_BYTES[vr])
        if len(value) <= INLINE_BYTES:
            return {"vr": vr, "InlineBinary": b64encode(value).decode("ascii")}
        self.bulk_data.append(BulkData(path, value))
        return {"vr": vr, "BulkDataURI": self._uri(path)}


def _vr(element: RawDataElement | DataElement) -> str:
    """Return a definite VR, also if an implicit VR source or the dictionary leaves it open."""
    vr = element.VR or (dictionary_VR(element.tag) if dictionary_has_tag(element.tag) else "UN")
    return "OW" if vr in _AMBIGUOUS_BINARY else str(vr)


def _finite(json_element: DicomJson) -> DicomJson:
    """Replace NaN and infinities, which JSON cannot express, by text, which Annex F allows for a number."""
    values = json_element.get("Value")
    if values and any(isinstance(value, float) and not math.isfinite(value) for value in values):
        json_element["Value"] = [
            _NON_FINITE.get(value, "NaN") if isinstance(value, float) and not math.isfinite(value) else value
            for value in values
        ]
    return json_element


def _without_value(element: RawDataElement | DataElement) -> DicomJson:
    """The element of a value that pydicom cannot convert; numbers that are none have their text (`json_values`)."""
    vr = _vr(element)
    return {"vr": vr if len(vr) == 2 else "UN"}
