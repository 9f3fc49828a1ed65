"""The Store Instances Response Module (PS3.18 Annex I), written out."""

from typing import Any

import pytest

from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.dicomweb.stow.response import (
    FailedInstance,
    PartOutcome,
    StoredInstance,
    StoreReport,
    render,
    to_dicom_json,
)
from chalicelib.errors import FailureReason

ROOT = "https://archive.example/dicomweb"
CT = "1.2.840.10008.5.1.4.1.1.2"
STORED = StoredInstance(ResourceUids("1.2", "1.3", "1.4"), CT, "digest", 100)
OF_ANOTHER_STUDY = StoredInstance(ResourceUids("9.2", "9.3", "9.4"), CT, "digest", 100)
FAILED = FailedInstance(FailureReason.OUT_OF_RESOURCES, "full", ResourceUids("1.2", "1.3", "1.5"), CT)
UNKNOWN = FailedInstance(FailureReason.CANNOT_UNDERSTAND, "not a DICOM file")

REFERENCE = {
    "00081150": {"vr": "UI", "Value": [CT]},
    "00081155": {"vr": "UI", "Value": ["1.4"]},
    "00081190": {"vr": "UR", "Value": [f"{ROOT}/studies/1.2/series/1.3/instances/1.4"]},
}
FAILURE = {
    "00081150": {"vr": "UI", "Value": [CT]},
    "00081155": {"vr": "UI", "Value": ["1.5"]},
    "00081197": {"vr": "US", "Value": [0xA700]},
}
STUDY_URL = {"vr": "UR", "Value": [f"{ROOT}/studies/1.2"]}


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [([STORED], 200), ([STORED, FAILED], 202), ([UNKNOWN, STORED], 202), ([FAILED], 409), ([FAILED, UNKNOWN], 409)],
)
def test_the_status_says_whether_all_some_or_none_are_stored(outcomes: list[PartOutcome], status: int) -> None:
    assert StoreReport(outcomes).status == status


@pytest.mark.parametrize(
    ("report", "module"),
    [
        (StoreReport([STORED]), {"00081190": STUDY_URL, "00081199": {"vr": "SQ", "Value": [REFERENCE]}}),
        (
            StoreReport([FAILED, STORED]),
            {
                "00081190": STUDY_URL,
                "00081198": {"vr": "SQ", "Value": [FAILURE]},
                "00081199": {"vr": "SQ", "Value": [REFERENCE]},
            },
        ),
        # A part whose UIDs are unknown.
        (
            StoreReport([UNKNOWN]),
            {
                "00081190": {"vr": "UR"},
                "0008119A": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [0xC000]}}]},
            },
        ),
    ],
)
def test_each_part_stands_in_the_sequence_of_its_outcome(report: StoreReport, module: dict[str, Any]) -> None:
    assert to_dicom_json(report, dicomweb_root=ROOT) == module


@pytest.mark.parametrize(
    ("report", "url"),
    [
        (StoreReport([FAILED], "1.2"), STUDY_URL),  # the study that the request's path names
        (StoreReport([STORED], "1.2"), STUDY_URL),
        (StoreReport([STORED, OF_ANOTHER_STUDY]), {"vr": "UR"}),
        (StoreReport([FAILED]), {"vr": "UR"}),
    ],
)
def test_the_url_of_the_study_is_given_where_there_is_one(report: StoreReport, url: dict[str, Any]) -> None:
    assert to_dicom_json(report, dicomweb_root=ROOT)["00081190"] == url


def test_the_module_is_written_as_json_or_xml() -> None:
    report = StoreReport([UNKNOWN])
    assert render(report, "application/dicom+json", dicomweb_root=ROOT) == (
        b'{"00081190":{"vr":"UR"},"0008119A":{"vr":"SQ","Value":[{"00081197":{"vr":"US","Value":[49152]}}]}}'
    )
    assert b'keyword="FailureReason"' in render(report, "application/dicom+xml", dicomweb_root=ROOT)
