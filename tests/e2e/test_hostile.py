"""Broken and malicious files are rejected with the right reason, are kept, and leave the pipeline running."""

import json
from pathlib import Path
from typing import Any, NoReturn

import pytest
from pydicom import dcmread

from tests.e2e.support.backend import Landed
from tests.e2e.support.clients import FAILURE_REASON, failure_reasons, get, search, store, values
from tests.e2e.support.corpus import corpus_path, needs_corpus, read_table
from tests.e2e.support.sources import fresh_uids, make_source
from tests.support.builders import make_instance, make_non_image

# Failure Reason, PS3.18 Table I.2-2.
DUPLICATE, CLASS_NOT_SUPPORTED = 273, 290
OUT_OF_RESOURCES, DOES_NOT_MATCH_CLASS, CANNOT_UNDERSTAND = 42752, 43264, 49152


def check_pipeline_works(archive, backend) -> None:
    """Check that a good instance is published, whether it is stored or uploaded."""
    by_stow, by_upload = make_source("native"), make_source("RLE")
    assert store(archive.stow, by_stow.data).status == 200
    backend.upload("control.dcm", by_upload.data)
    for source in (by_stow, by_upload):
        backend.wait_until_searchable(source.study_instance_uid, 1)
        assert get(f"{archive.dicomweb}/{source.path}/frames/1").part().body == source.frames[0]
    assert backend.dead_letters() == 0


# --- generated files ----------------------------------------------------------------------------


BROKEN = {
    "a text": (b"This is no DICOM file.\n", CANNOT_UNDERSTAND),
    "nothing": (b"", CANNOT_UNDERSTAND),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(200), CANNOT_UNDERSTAND),
    "a preamble only": (bytes(128) + b"DICM", CANNOT_UNDERSTAND),
    "a truncated image": (make_instance(**fresh_uids())[:-10], CANNOT_UNDERSTAND),
    "fewer frames than declared": (make_instance(**fresh_uids(), NumberOfFrames=3), CANNOT_UNDERSTAND),
    "no study": (make_instance(**fresh_uids(StudyInstanceUID=None)), DOES_NOT_MATCH_CLASS),
    "a path as UID": (make_instance(**fresh_uids(SeriesInstanceUID="1.2/../../../3")), CANNOT_UNDERSTAND),
    "a query class": (make_non_image(**fresh_uids(), SOPClassUID="1.2.840.10008.5.1.4.1.2.1.1"), CLASS_NOT_SUPPORTED),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_published_ends_with_its_reason(archive, backend, name) -> None:
    content, reason = BROKEN[name]
    answer = store(archive.stow, content)
    assert (answer.status, failure_reasons(answer)) == (409, [reason])

    landed = backend.upload(f"broken/{name}", content)
    backend.wait_until_rejected(landed)
    recorded_reason, text = backend.rejections()[landed]
    assert recorded_reason == reason
    assert text
    assert backend.read(landed) == content


def test_a_folder_made_in_the_console_is_rejected_and_nothing_else_happens(archive, backend) -> None:
    landed = backend.upload("a folder/", b"")
    backend.wait_until_rejected(landed)
    check_pipeline_works(archive, backend)


def test_good_instances_among_broken_ones_are_published(archive, backend) -> None:
    good = [make_source("native") for _ in range(5)]
    contents = [
        content
        for pair in zip((source.data for source in good), BROKEN.values(), strict=False)
        for content in (pair[0], pair[1][0])
    ]
    landed = [backend.upload(f"mixed/{number}", content) for number, content in enumerate(contents)]
    for source in good:
        backend.wait_until_searchable(source.study_instance_uid, 1)
    for version in landed[1::2]:
        backend.wait_until_rejected(version)
    assert not set(landed[::2]) & set(backend.rejections())
    check_pipeline_works(archive, backend)


# --- the corpus ---------------------------------------------------------------------------------

PUBLISHED = {
    "00_control_valid.dcm",
    "06_uid_leading_zero_component.dcm",
    "15_meta_group_length_zero.dcm",
    "24_130000_elements.dcm",
    "30_pixeldata_too_long.dcm",
    "34_numberofframes_zero.dcm",
    "43_jpeg_fragment_is_html.dcm",
    "55_polyglot_html_preamble.dcm",
    "57_injection_strings.dcm",
    "58_crlf_and_invalid_utf8.dcm",
    "60_bad_date_time_is.dcm",
    "61_nan_infinity_numbers.dcm",
    "64_modality_60000_chars.dcm",
    "67_dup_a_first.dcm",
    # UIDs of series and instances identify them within their study only.
    "67_dup_c_other_study.dcm",
    "75_400000_empty_fragments.dcm",
}
# All others are rejected as CANNOT_UNDERSTAND.
REASONS = {
    "04_uid_empty.dcm": DOES_NOT_MATCH_CLASS,
    "09_no_sop_instance_uid.dcm": DOES_NOT_MATCH_CLASS,
    "10_no_sop_class.dcm": DOES_NOT_MATCH_CLASS,
    "25_deflate_bomb_1GiB.dcm": OUT_OF_RESOURCES,
    "36_bitsallocated_zero.dcm": DOES_NOT_MATCH_CLASS,
    "37_rows_empty.dcm": DOES_NOT_MATCH_CLASS,
    "66_query_class_as_instance.dcm": CLASS_NOT_SUPPORTED,
    "67_dup_b_other_pixels.dcm": DUPLICATE,
}
VERDICTS = {row["file"]: row["a sensible server"] for row in read_table("hostile/README.tsv")}


def expected_reason(name: str) -> int | None:
    """Return the failure reason of a file, or None if it is published."""
    return None if name in PUBLISHED else REASONS.get(name, CANNOT_UNDERSTAND)


def hostile_file(name: str) -> Path:
    directory = corpus_path("hostile")
    assert directory is not None
    return directory / name


@pytest.fixture(scope="module")
def uploads(backend) -> dict[str, Landed]:
    """Upload all hostile files and wait for their results; of the two with the same UID, one comes after the other."""
    second = "67_dup_b_other_pixels.dcm"
    landed = {
        name: backend.upload(f"hostile/{name}", hostile_file(name).read_bytes()) for name in VERDICTS if name != second
    }
    backend.wait_until_dealt_with(*landed.values())
    landed[second] = backend.upload(f"hostile/{second}", hostile_file(second).read_bytes())
    backend.wait_until_dealt_with(landed[second])
    return landed


@needs_corpus("hostile")
def test_the_table_here_agrees_with_the_corpus_where_that_leaves_no_choice() -> None:
    for name, verdict in VERDICTS.items():
        may_accept = "ACCEPT" in verdict or " or " in verdict or "documented" in verdict
        may_reject = "REJECT" in verdict
        assert may_reject if expected_reason(name) else may_accept, name


@needs_corpus("hostile")
def test_each_hostile_upload_is_published_or_rejected_with_its_reason(backend, uploads) -> None:
    published, rejections = set(backend.published().values()), backend.rejections()
    ends = {name: rejections.get(landed, (None,))[0] for name, landed in uploads.items()}
    assert ends == {name: expected_reason(name) for name in VERDICTS}
    assert {name for name, landed in uploads.items() if landed in published} == PUBLISHED
    assert backend.dead_letters() == 0


@needs_corpus("hostile")
@pytest.mark.parametrize("name", VERDICTS)
def test_each_hostile_file_has_its_answer_by_stow(archive, uploads, name) -> None:
    answer = store(archive.stow, hostile_file(name).read_bytes())
    reason = expected_reason(name)
    if reason is None:
        assert (answer.status, failure_reasons(answer)) == (200, [])
    else:
        assert (answer.status, failure_reasons(answer)) == (409, [reason])
        # A number of VR US, not hexadecimal text.
        assert f'"{FAILURE_REASON}":{{"vr":"US","Value":[{reason}]}}'.encode() in answer.body


@needs_corpus("hostile")
@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_what_is_published_of_them_is_found_and_harmless(archive, backend, uploads, name) -> None:
    dataset = dcmread(hostile_file(name), specific_tags=["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"])
    study, series, sop = (
        str(dataset[tag].value) for tag in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
    )
    instance = f"{archive.dicomweb}/studies/{study}/series/{series}/instances/{sop}"
    hits = search(f"{archive.dicomweb}/studies/{study}/series/{series}/instances", SOPInstanceUID=sop)
    assert values(hits, "00081190") == [instance]
    answer = get(f"{instance}/metadata", gzip=False)
    (metadata,) = strict_json(answer.body)
    assert values([metadata], "00080018") == [sop]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert get(instance).part().body == hostile_file(name).read_bytes()


@needs_corpus("hostile")
def test_pixels_that_no_frame_needs_are_not_served(archive, uploads) -> None:
    path = hostile_file("30_pixeldata_too_long.dcm")
    dataset = dcmread(path)
    uids = f"studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}/instances/{dataset.SOPInstanceUID}"
    assert get(f"{archive.dicomweb}/{uids}/frames/1").part().body == dataset.PixelData[:256]
    assert get(f"{archive.dicomweb}/{uids}/frames/2").status == 404


@needs_corpus("hostile")
def test_hostile_files_lose_nothing_and_leave_the_pipeline_running(archive, backend, uploads) -> None:
    assert set(uploads.values()) <= backend.landed("hostile/")
    for name, landed in uploads.items():
        assert backend.read(landed) == hostile_file(name).read_bytes()
    check_pipeline_works(archive, backend)


def strict_json(text: bytes) -> Any:
    """Parse JSON that must be valid UTF-8 without NaN and Infinity, which Python would accept."""

    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text.decode("utf-8"), parse_constant=refuse)
