"""The answer to a store request: status, and Store Instances Response Module (PS3.18 Annex I) in JSON or XML. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.dicomweb.attributes import TAG_OF_COMPUTED
from chalicelib.dicomweb.json_text import dump_json
from chalicelib.dicomweb.media_types import DICOM_XML
from chalicelib.dicomweb.native_model import to_native_model
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.errors import FailureReason

RETRIEVE_URL = TAG_OF_COMPUTED["RetrieveURL"]
REFERENCED_SOP_CLASS_UID = "00081150"
REFERENCED_SOP_INSTANCE_UID = "00081155"
FAILURE_REASON = "00081197"
FAILED_SOP_SEQUENCE = "00081198"
REFERENCED_SOP_SEQUENCE = "00081199"
OTHER_FAILURES_SEQUENCE = "0008119A"


@dataclass(frozen=True, slots=True)
class StoredInstance:
    """An instance that has been stored durably; `sha256` is the hexadecimal digest of its `size` bytes."""

    uids: ResourceUids
    sop_class_uid: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class FailedInstance:
    """A part that was not stored; its UIDs are None if they could not be read."""

    reason: FailureReason
    message: str
    uids: ResourceUids | None = None
    sop_class_uid: str | None = None


PartOutcome = StoredInstance | FailedInstance


@dataclass(frozen=True, slots=True)
class StoreReport:
    """The outcome of each part of a store request, in the order of the parts.

    `study_instance_uid` is the study that the URL of the request names, or None.
    """

    outcomes: Sequence[PartOutcome]
    study_instance_uid: str | None = None

    @property
    def stored(self) -> list[StoredInstance]:
        """Outcomes of the parts that were stored."""
        return [outcome for outcome in self.outcomes if isinstance(outcome, StoredInstance)]

    @property
    def failed(self) -> list[FailedInstance]:
        """Outcomes of the parts that were not stored."""
        return [outcome for outcome in self.outcomes if isinstance(outcome, FailedInstance)]

    @property
    def status(self) -> int:
        """HTTP status: 200 if all parts were stored, 202 if some were, 409 if none was (PS3.18 Table 10.5.3-1)."""
        if not self.failed:
            return 200
        return 202 if self.stored else 409


def render(report: StoreReport, media_type: str, *, dicomweb_root: str) -> bytes:
    """Encode the answer in the media type that `choose_response_type` returned.

    Parameters
    ----------
    dicomweb_root
        Beginning of the retrieve URLs, without a trailing slash.
    """
    module = to_dicom_json(report, dicomweb_root=dicomweb_root)
    if media_type == DICOM_XML:
        return to_native_model(module)
    return dump_json(module)


def to_dicom_json(report: StoreReport, *, dicomweb_root: str) -> dict[str, Any]:
    """Return the module as a data set in the DICOM JSON Model (PS3.18 Annex F).

    A part whose UIDs are unknown is listed in Other Failures Sequence, since items of Failed SOP Sequence
    must have both UIDs (PS3.3 Table 10-11).
    """
    module = {RETRIEVE_URL: _element("UR", *_study_url(report, dicomweb_root))}
    sequences = {
        FAILED_SOP_SEQUENCE: [
            {**_reference(failure.sop_class_uid, failure.uids), **_reason(failure)}
            for failure in report.failed
            if failure.uids and failure.sop_class_uid
        ],
        REFERENCED_SOP_SEQUENCE: [
            {
                **_reference(instance.sop_class_uid, instance.uids),
                RETRIEVE_URL: _element("UR", f"{dicomweb_root}/{instance.uids.path}"),
            }
            for instance in report.stored
        ],
        OTHER_FAILURES_SEQUENCE: [
            _reason(failure) for failure in report.failed if not (failure.uids and failure.sop_class_uid)
        ],
    }
    return module | {tag: _element("SQ", *items) for tag, items in sequences.items() if items}


def _study_url(report: StoreReport, dicomweb_root: str) -> list[str]:
    """URL of the study; empty, as Type 2 allows, unless the answer concerns exactly one study."""
    studies = {instance.uids.study_instance_uid for instance in report.stored}
    if report.study_instance_uid:
        studies.add(report.study_instance_uid)
    return [f"{dicomweb_root}/studies/{study}" for study in studies] if len(studies) == 1 else []


def _reference(sop_class_uid: str, uids: ResourceUids) -> dict[str, Any]:
    return {
        REFERENCED_SOP_CLASS_UID: _element("UI", sop_class_uid),
        REFERENCED_SOP_INSTANCE_UID: _element("UI", uids.sop_instance_uid),
    }


def _reason(failure: FailedInstance) -> dict[str, Any]:
    return {FAILURE_REASON: _element("US", int(failure.reason))}


def _element(vr: str, *values: Any) -> dict[str, Any]:
    return {"vr": vr, "Value": list(values)} if values else {"vr": vr}
