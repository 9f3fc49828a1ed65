import json
from typing import Any

import pytest

from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.dicomweb.wado.representation import Wanted
from chalicelib.errors import BadRequestError, NotAcceptableError, NotFoundError
from tests.support.archive import Archive, running_archive
from tests.support.builders import NAMES, UIDS, make_compressed, make_instance, make_non_image

KEY = UIDS.key
GZIP = Wanted.from_headers(None, "gzip, br")
IDENTITY = Wanted.from_headers(None, None)


def payloads(content_type: str, body: bytes) -> list[bytes]:
    boundary = content_type.partition('boundary="')[2].rstrip('"').encode()
    parts = body.split(b"--" + boundary)[1:-1]
    return [part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in parts]


@pytest.fixture
def archive() -> Any:
    with running_archive() as running:
        yield running


def test_an_image_as_an_instance_is_made_from_what_was_stored_and_kept(archive: Archive) -> None:
    data = make_instance(**NAMES)
    archive.store(data)
    answer = archive.representations.instance(UIDS, GZIP)
    assert payloads(answer.content_type, answer.body) == [data]
    assert archive.objects.objects["static", KEY].body == answer.body


def test_a_client_without_gzip_gets_identity_and_the_copy_is_kept(archive: Archive) -> None:
    archive.store(make_instance(**NAMES, Rows=64, Columns=64, PixelData=bytes(8192)))
    answer = archive.representations.frames(UIDS, "1", IDENTITY)
    assert answer.content_encoding is None
    assert payloads(answer.content_type, answer.body) == [bytes(8192)]
    assert archive.objects.objects["static", f"identity/{KEY}/frames/1"].body == answer.body


def test_metadata_without_gzip_is_plain_json_and_aggregates_are_not_kept(archive: Archive) -> None:
    archive.store(make_instance(**NAMES))
    before = set(archive.objects.objects)
    for answer in (
        archive.representations.metadata(ResourceUids("1.2"), IDENTITY),
        archive.representations.metadata(ResourceUids("1.2", "1.2.3"), IDENTITY),
    ):
        assert json.loads(answer.body)[0]["00080018"]["Value"] == ["1.2.3.4"]
        assert answer.cache_control == "no-cache"
    assert set(archive.objects.objects) == before
    archive.representations.metadata(UIDS, IDENTITY)
    assert set(archive.objects.objects) - before == {("static", f"identity/{KEY}/metadata")}


def test_a_list_of_frames_comes_in_the_order_asked_for(archive: Archive) -> None:
    frames = [b"\xff\xd8one\xff\xd9", b"\xff\xd8two\xff\xd9", b"\xff\xd8333\xff\xd9"]
    frames = [frame + b"\0" * (len(frame) % 2) for frame in frames]
    archive.store(make_compressed("1.2.840.10008.1.2.4.50", frames, **NAMES))
    answer = archive.representations.frames(UIDS, "3,1", GZIP)
    assert payloads(answer.content_type, answer.body) == [frames[2], frames[0]]
    assert answer.body.count(b"Content-Type: image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50\r\n") == 2


def test_pixel_data_as_bulk_data_is_its_frames(archive: Archive) -> None:
    archive.store(make_instance(**NAMES, NumberOfFrames=2, Rows=2, PixelData=bytes(range(32))))
    answer = archive.representations.bulk_data(UIDS, "7FE00010", GZIP)
    assert payloads(answer.content_type, answer.body) == [bytes(range(16)), bytes(range(16, 32))]


def test_what_is_too_large_for_lambda_is_kept_and_redirected_to(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.store(make_instance(**NAMES))
    monkeypatch.setattr("chalicelib.services.make_representation.MAX_ANSWER_BYTES", 10)
    for wanted, key in ((GZIP, KEY), (IDENTITY, f"identity/{KEY}")):
        answer = archive.representations.instance(UIDS, wanted)
        assert answer.location == f"http://archive/dicomweb/{UIDS.path}"
        assert ("static", key) in archive.objects.objects
    study = archive.representations.metadata(ResourceUids("1.2"), IDENTITY)
    assert study.location is not None
    assert study.location.startswith("https://static.example/versions/")


def test_a_single_part_instance_is_read_from_where_it_landed(archive: Archive) -> None:
    archive.store(make_instance(**NAMES), key="x/y")
    answer = archive.representations.instance(UIDS, Wanted.from_headers("application/dicom", "gzip"))
    assert answer.location == "https://landing.example/x/y?type=application/dicom"


@pytest.mark.parametrize("frame_list", ["0", "-1", "1,,2", "a", "1;2", "", "1.0", "9" * 12])
def test_an_invalid_frame_list_is_a_bad_request(archive: Archive, frame_list: str) -> None:
    with pytest.raises(BadRequestError):
        archive.representations.frames(UIDS, frame_list, GZIP)


def test_what_does_not_exist_is_not_found(archive: Archive) -> None:
    archive.store(make_non_image(**NAMES))
    representations = archive.representations
    with pytest.raises(NotFoundError):
        representations.instance(ResourceUids("1.2", "1.2.3", "9"), GZIP)
    for frame_list in ("1", "1,2"):
        with pytest.raises(NotFoundError):
            representations.frames(UIDS, frame_list, GZIP)
    with pytest.raises(NotFoundError):
        representations.bulk_data(UIDS, "7FE00010", GZIP)
    with pytest.raises(NotFoundError):
        representations.bulk_data(UIDS, "00100010", GZIP)
    with pytest.raises(NotFoundError):
        representations.metadata(ResourceUids("9.9"), GZIP)


def test_an_instance_that_can_no_longer_be_read_is_not_found(archive: Archive) -> None:
    archive.store(make_instance(**NAMES), key="x/y")
    record = archive.records.get_instance(UIDS)
    assert record is not None
    archive.objects.landed[record.landing] = (b"not a DICOM file", record.stored_at)
    with pytest.raises(NotFoundError, match="cannot be read"):
        archive.representations.frames(UIDS, "1,1", GZIP)


def test_a_frame_past_the_last_is_not_found(archive: Archive) -> None:
    archive.store(make_instance(**NAMES))
    for frame_list in ("2", "1,2"):
        with pytest.raises(NotFoundError):
            archive.representations.frames(UIDS, frame_list, GZIP)


@pytest.mark.parametrize(
    ("method", "arguments", "accept"),
    [
        ("metadata", (ResourceUids("1.2"),), "application/dicom+xml"),
        ("frames", (UIDS, "1"), "image/jpeg"),
        ("frames", (UIDS, "1"), 'multipart/related; type="image/jpeg"'),
        ("instance", (UIDS,), "text/html"),
    ],
)
def test_an_unacceptable_form_is_refused(archive: Archive, method: str, arguments: Any, accept: str) -> None:
    archive.store(make_instance(**NAMES))
    with pytest.raises(NotAcceptableError):
        getattr(archive.representations, method)(*arguments, Wanted.from_headers(accept, "gzip"))


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "multipart/related; type=application/octet-stream; transfer-syntax=*",
        'multipart/related; type="application/octet-stream"',
        'text/html, multipart/related; type="*/*"; q=0.5',
    ],
)
def test_what_viewers_ask_for_frames_is_acceptable(archive: Archive, accept: str) -> None:
    archive.store(make_compressed("1.2.840.10008.1.2.5", [b"rle!"], **NAMES))
    answer = archive.representations.frames(UIDS, "1", Wanted.from_headers(accept, "gzip"))
    assert payloads(answer.content_type, answer.body) == [b"rle!"]


def test_a_long_list_of_frames_is_kept_for_both_kinds_of_clients(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.store(make_instance(**NAMES, NumberOfFrames=2, Rows=2))
    monkeypatch.setattr("chalicelib.services.make_representation.MAX_ANSWER_BYTES", 10)
    answer = archive.representations.frames(UIDS, "1,2", GZIP)
    assert answer.location == f"http://archive/dicomweb/{UIDS.path}/frames/1,2"
    for prefix in ("", "identity/"):
        assert ("static", f"{prefix}{KEY}/frames/1,2") in archive.objects.objects
    assert archive.representations.frames(UIDS, "1", GZIP).location == f"http://archive/dicomweb/{UIDS.path}/frames/1"
