"""The test files in pydicom's package: which of them can be published, and how pydicom reads a file."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom.data
from pydicom import dcmread

# Truncated, without UIDs or transfer syntax, with an invalid VR, or not Part 10 files.
UNPUBLISHABLE = {
    "ExplVR_BigEndNoMeta.dcm",
    "ExplVR_LitEndNoMeta.dcm",
    "JPEGLSNearLossless_08.dcm",
    "JPEGLSNearLossless_16.dcm",
    "MR_truncated.dcm",
    "SC_rgb_jls_lossy_line.dcm",
    "SC_rgb_jls_lossy_sample.dcm",
    "SC_rgb_jpeg.dcm",
    "UN_sequence.dcm",
    "empty_charset_LEI.dcm",
    "meta_missing_tsyntax.dcm",
    "nested_priv_SQ.dcm",
    "no_meta.dcm",
    "no_meta_group_length.dcm",
    "priv_SQ.dcm",
    "rtplan_truncated.dcm",
    "rtstruct.dcm",
}
# pydicom cannot read its NumberOfFrames of "1A".
INVALID_VALUES = {"badVR.dcm"}

PACKAGED_FILES = sorted(Path(pydicom.data.__file__).parent.glob("test_files/*.dcm"))
COMPARABLE_FILES = [path for path in PACKAGED_FILES if path.name not in UNPUBLISHABLE | INVALID_VALUES]


def pydicoms_json(data: bytes) -> dict[str, Any]:
    """pydicom's DICOM JSON of a Part 10 file, after a round trip through JSON text; see `without_binary`."""
    result: dict[str, Any] = json.loads(json.dumps(without_binary(dcmread(BytesIO(data)).to_json_dict())))
    return result


def without_binary(document: dict[str, Any]) -> dict[str, Any]:
    """Remove group lengths, and all but the VR of binary values, which are compared as bulk data.

    An empty value among others becomes null (PS3.18 §F.2.5), for which pydicom has "".
    """
    result = {}
    for tag, element in document.items():
        if tag.endswith("0000"):
            continue
        if element["vr"] == "SQ":
            items = [without_binary(item) for item in element.get("Value", [])]
            result[tag] = {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}
        elif "InlineBinary" in element or "BulkDataURI" in element:
            result[tag] = {"vr": element["vr"]}
        else:
            values = element.get("Value", [])
            nulled = {"Value": [None if value == "" else value for value in values]} if len(values) > 1 else {}
            result[tag] = {**element, **nulled}
    return result
