"""A data set in the DICOM JSON Model (PS3.18 Annex F), with its large binary values set apart as bulk data.

One bad value never costs the instance: what pydicom cannot convert is kept as the text it is, or left empty.
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
from chalicelib.dicomweb.instance.part10 import Instance, is_deferred
from chalicelib.dicomweb.instance.pixel_data import ByteRange, join_fragments, swap_words
from chalicelib.dicomweb.instance.structure import PIXEL_DATA, PIXEL_DATA_TAGS, ElementLocation

# Binary values up to this size stand in the JSON text; a static object of their own would cost more.
INLINE_BYTES = 1024

# Bytes a word in each binary VR, PS3.5 Table 6.2-1.
_WORD_BYTES = {"OB": 1, "UN": 1, "OW": 2, "OL": 4, "OF": 4, "OV": 8, "OD": 8}
# An implicit VR source leaves these open (PS3.6 "OB or OW"); PS3.5 §A.1 makes them OW.
_AMBIGUOUS_BINARY = {"OB or OW", "OB/OW", "US or OW", "US or SS or OW"}

_TEXT_VRS = {str(vr) for vr in STR_VR} - {"PN"}  # pydicom makes a name of any bytes
# A backslash separates no values in these.
_SINGLE_TEXT_VRS = {"LT", "ST", "UT", "UR"}

_NON_FINITE = {math.inf: "Infinity", -math.inf: "-Infinity"}


@dataclass(frozen=True, slots=True)
class BulkData:
    """One value kept apart.

    `path` is its place, e.g. ``00420011`` or ``54000100.1.54001010`` (items are numbered from 1);
    `value` its bytes, little-endian, or where they lie in the instance's file.
    """

    path: str
    value: bytes | ByteRange


def to_json(instance: Instance, bulk_data_uri: Callable[[str], str]) -> tuple[DicomJson, list[BulkData]]:
    """Convert the data set of an instance.

    Parameters
    ----------
    bulk_data_uri
        Gives the BulkDataURI for the path of a value.

    Returns
    -------
    tuple
        The data set without group 0002, tags in order, and the values that its BulkDataURIs name.
        Pixel data has an URI, but is not among the values: its frames are.
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
        """One level; `instance` is given at the top, where values may have been left in the file."""
        result: DicomJson = {}
        for tag, item in sorted(dataset.items()):
            # Group lengths (gggg,0000) say nothing about JSON; group 2 is not part of the data set.
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
        """A value that was left in the file: stays there if it is served as it lies there."""
        vr = _vr(raw)
        if vr in _WORD_BYTES and (self._little_endian or _WORD_BYTES[vr] == 1):
            self.bulk_data.append(BulkData(path, ByteRange(raw.value_tell, raw.length)))
            return {"vr": vr, "BulkDataURI": self._uri(path)}
        loaded = raw._replace(value=instance.read_value(raw.tag))
        dataset[raw.tag] = loaded
        return self._element(dataset, raw.tag, loaded, path)

    def _element(self, dataset: Dataset, tag: BaseTag, item: RawDataElement | DataElement, path: str) -> DicomJson:
        try:
            element = dataset[tag]
            vr = _vr(element)
            if vr in _WORD_BYTES:
                return self._binary(element, vr, path)
            if vr == "SQ":
                return self._sequence(element, path)
            return _finite(element.to_json_dict(None, 0))
        except Exception:  # whatever a hostile value provokes in pydicom costs this value only
            return _as_text(item)

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
    """The one VR of an element, where an implicit source or the dictionary leaves it open."""
    vr = element.VR or (dictionary_VR(element.tag) if dictionary_has_tag(element.tag) else "UN")
    return "OW" if vr in _AMBIGUOUS_BINARY else str(vr)


def _finite(json_element: DicomJson) -> DicomJson:
    """JSON has no NaN and no infinity; as text, which Annex F lets stand for a number, they survive."""
    values = json_element.get("Value")
    if values and any(isinstance(value, float) and not math.isfinite(value) for value in values):
        json_element["Value"] = [
            _NON_FINITE.get(value, "NaN") if isinstance(value, float) and not math.isfinite(value) else value
            for value in values
        ]
    return json_element


def _as_text(element: RawDataElement | DataElement) -> DicomJson:
    """An element whose value is invalid: its text, or nothing where it has none."""
    vr, value = _vr(element), element.value
    if vr not in _TEXT_VRS or not isinstance(value, bytes) or not value:
        return {"vr": vr if len(vr) == 2 else "UN"}
    text = value.decode("utf-8", "replace").rstrip("\0 ")
    texts = [text] if vr in _SINGLE_TEXT_VRS else text.split("\\")
    return {"vr": vr, "Value": texts}
