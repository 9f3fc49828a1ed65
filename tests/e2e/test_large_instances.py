"""Instances too large for memory and for one answer of a function: uploaded in parts, read from disk, redirected."""

import os
from pathlib import Path

import pytest

from tests.e2e.support.clients import DICOM, get, store
from tests.e2e.support.sources import Source, fresh_uids
from tests.support.builders import make_instance

ROWS, COLUMNS = 2048, 4096
FRAMES = [os.urandom(ROWS * COLUMNS), bytes(ROWS * COLUMNS), os.urandom(ROWS * COLUMNS)]


@pytest.fixture(scope="module", params=["STOW", "upload_file"])
def large(archive, backend, request, tmp_path_factory) -> Source:
    """24 MB in three frames, of which one compresses well."""
    data = make_instance(
        **fresh_uids(),
        NumberOfFrames=len(FRAMES),
        Rows=ROWS,
        Columns=COLUMNS,
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        PixelData=b"".join(FRAMES),
    )
    source = Source(data, FRAMES)
    if request.param == "STOW":
        assert store(archive.stow, data).status == 200
    else:
        path: Path = tmp_path_factory.mktemp("large") / "large.dcm"
        path.write_bytes(data)
        # This is a multipart upload, as `aws s3 cp` does it with files of this size.
        backend.s3.upload_file(str(path), backend.landing_bucket, f"large/{source.study_instance_uid}.dcm")
    backend.wait_until_searchable(source.study_instance_uid, 1)
    return source


@pytest.mark.parametrize("gzip", [True, False], ids=["gzip", "identity"])
def test_frames_of_a_large_instance_are_those_of_the_source(archive, large, gzip) -> None:
    for number, frame in enumerate(FRAMES, start=1):
        answer = get(f"{archive.dicomweb}/{large.path}/frames/{number}", gzip=gzip)
        assert answer.status == 200
        assert answer.part().body == frame


@pytest.mark.parametrize("gzip", [True, False], ids=["gzip", "identity"])
def test_frames_of_a_large_instance_come_together_too(archive, large, gzip) -> None:
    for resource in ("frames/1,2,3", "bulkdata/7FE00010"):
        answer = get(f"{archive.dicomweb}/{large.path}/{resource}", gzip=gzip)
        assert answer.status == 200
        assert [part.body for part in answer.parts()] == FRAMES


@pytest.mark.parametrize("gzip", [True, False], ids=["gzip", "identity"])
def test_a_large_instance_is_the_file_that_was_stored(archive, large, gzip) -> None:
    url = f"{archive.dicomweb}/{large.path}"
    assert get(url, gzip=gzip).part().body == large.data
    assert get(url, accept=DICOM, gzip=gzip).body == large.data
