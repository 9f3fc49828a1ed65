import json
from datetime import UTC, datetime

import pytest

from chalicelib.dicomweb.compression import decompress
from chalicelib.dicomweb.wado.static_object import IMMUTABLE
from chalicelib.errors import FailureReason, ServiceFaultError
from chalicelib.ports import ObjectVersion
from tests.support.archive import running_archive
from tests.support.builders import NAMES, UIDS, make_compressed, make_instance, make_non_image

KEY = "dicomweb/studies/1.2/series/1.2.3/instances/1.2.3.4"


def test_an_image_becomes_frames_and_metadata_and_nothing_else() -> None:
    with running_archive() as archive:
        assert archive.store(make_instance(**NAMES, NumberOfFrames=2, Rows=2)) == "1.2"
        keys = sorted(key for _, key in archive.objects.objects if key.startswith(KEY))
        assert keys == [f"{KEY}/frames/1", f"{KEY}/frames/2", f"{KEY}/metadata"]


def test_all_frames_are_written_though_few_are_written_at_once() -> None:
    with running_archive() as archive:
        archive.store(make_instance(**NAMES, NumberOfFrames=40, Rows=1, Columns=1, PixelData=bytes(range(80))))
        keys = {key for _, key in archive.objects.objects if key.startswith(f"{KEY}/frames/")}
        assert keys == {f"{KEY}/frames/{number}" for number in range(1, 41)}


def test_a_frame_is_one_part_labelled_with_its_transfer_syntax() -> None:
    with running_archive() as archive:
        archive.store(make_compressed("1.2.840.10008.1.2.4.90", [b"\xff\x4fcodestream"], **NAMES))
        frame = archive.objects.objects["static", f"{KEY}/frames/1"]
        boundary = frame.content_type.removeprefix('multipart/related; type="image/jp2"; boundary="')[:-1]
        assert frame.content_type == f'multipart/related; type="image/jp2"; boundary="{boundary}"'
        head = f"--{boundary}\r\nContent-Type: image/jp2; transfer-syntax=1.2.840.10008.1.2.4.90\r\n\r\n"
        assert frame.body == head.encode() + b"\xff\x4fcodestream" + f"\r\n--{boundary}--\r\n".encode()
        assert frame.cache_control == IMMUTABLE
        assert frame.content_encoding is None


def test_native_frames_are_kept_compressed_where_that_saves() -> None:
    with running_archive() as archive:
        archive.store(make_instance(**NAMES, Rows=64, Columns=64, PixelData=bytes(8192)))
        frame = archive.objects.objects["static", f"{KEY}/frames/1"]
        assert frame.content_encoding == "gzip"
        assert isinstance(frame.body, bytes)
        assert bytes(8192) in decompress(frame.body)


def test_what_is_no_image_is_kept_as_an_instance_with_its_bytes_as_stored() -> None:
    data = make_non_image(**NAMES)
    with running_archive() as archive:
        archive.store(data)
        instance = archive.objects.objects["static", KEY]
        assert isinstance(instance.body, bytes)
        assert instance.content_type.startswith('multipart/related; type="application/dicom"; boundary="')
        payload = instance.body.partition(b"\r\n\r\n")[2]
        assert payload.startswith(data + b"\r\n--")
        assert ("static", f"{KEY}/bulkdata/00420011") in archive.objects.objects


def test_metadata_is_the_same_text_at_all_three_levels() -> None:
    with running_archive() as archive:
        archive.store(make_instance(**NAMES))
        texts = {
            decompress(archive.objects.get_bytes("static", key))
            for key in (
                f"{KEY}/metadata",
                "dicomweb/studies/1.2/series/1.2.3/metadata",
                "dicomweb/studies/1.2/metadata",
            )
        }
        assert len(texts) == 1
        (dataset,) = json.loads(texts.pop())
        assert dataset["7FE00010"]["BulkDataURI"] == (
            "http://archive/dicomweb/studies/1.2/series/1.2.3/instances/1.2.3.4/bulkdata/7FE00010"
        )


def test_the_record_points_to_what_was_stored() -> None:
    with running_archive() as archive:
        at = datetime(2024, 3, 1, tzinfo=UTC)
        landing = archive.objects.land("a/b c.dcm", make_instance(**NAMES), at=at)
        archive.convert(landing)
        record = archive.records.get_instance(UIDS)
        assert record is not None
        assert (record.landing, record.stored_at, record.complete) == (landing, at, True)
        assert record.qido["00083002"] == {"vr": "UI", "Value": ["1.2.840.10008.1.2.1"]}


def test_a_redelivered_event_changes_nothing() -> None:
    with running_archive() as archive:
        landing = archive.objects.land("k", make_instance(**NAMES))
        archive.convert(landing)
        objects, records = dict(archive.objects.objects), dict(archive.records.instances)
        assert archive.convert(landing) == "1.2"
        assert (archive.objects.objects, archive.records.instances) == (objects, records)
        assert archive.records.rejections == {}


def test_an_identical_instance_stored_again_is_no_rejection_and_keeps_the_first_pointer() -> None:
    data = make_instance(**NAMES)
    with running_archive() as archive:
        first = archive.objects.land("first", data)
        archive.convert(first)
        archive.convert(archive.objects.land("second", data))
        record = archive.records.get_instance(UIDS)
        assert record is not None
        assert record.landing == first
        assert archive.records.rejections == {}


def test_another_content_under_the_same_uid_is_recorded_and_never_published() -> None:
    with running_archive() as archive:
        archive.store(make_instance(**NAMES, PixelData=bytes(32)))
        objects = dict(archive.objects.objects)
        second = archive.objects.land("second", make_instance(**NAMES, PixelData=b"\1" * 32))
        assert archive.convert(second) is None
        assert archive.objects.objects == objects
        assert archive.records.rejections[second].failure_reason == FailureReason.DUPLICATE_SOP_INSTANCE


@pytest.mark.parametrize("data", [b"", b"plain text", make_instance()[:-3]])
def test_bad_input_is_recorded_with_its_reason_and_not_retried(data: bytes) -> None:
    with running_archive() as archive:
        landing = archive.objects.land("bad", data)
        assert archive.convert(landing) is None
        assert archive.records.rejections[landing].reason
        assert archive.records.instances == {}
        assert archive.objects.objects == {}


def test_an_object_deleted_before_it_was_read_is_recorded() -> None:
    with running_archive() as archive:
        gone = ObjectVersion("landing", "gone", "v1")
        assert archive.convert(gone) is None
        assert "deleted" in archive.records.rejections[gone].reason


@pytest.mark.parametrize("takes_effect", [False, True])
def test_a_fault_between_any_two_writes_is_raised_and_healed_by_the_next_try(takes_effect: bool) -> None:
    data = make_non_image(**NAMES)
    with running_archive() as archive:
        archive.store(data)
        expected = dict(archive.objects.objects)
        calls = archive.plan.calls
    assert calls >= 8
    for failing in range(1, calls + 1):
        with running_archive() as archive:
            archive.plan.fail_at, archive.plan.takes_effect = failing, takes_effect
            landing = archive.objects.land("any/key", data)
            with pytest.raises(ServiceFaultError):
                ingest(archive, landing)
            ingest(archive, landing)
            assert archive.objects.objects == expected, f"after a fault in call {failing}"
            assert [record.complete for record in archive.records.instances.values()] == [True]


def ingest(archive, landing) -> None:  # type: ignore[no-untyped-def]
    archive.publish(archive.convert(landing))


def test_a_large_frame_is_written_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.dicomweb.wado.static_instance.PIECEWISE_BYTES", 16)
    with running_archive() as archive:
        pieces = []
        put = archive.objects.put

        def remember(bucket, content):  # type: ignore[no-untyped-def]
            pieces.append((content.key, isinstance(content.body, bytes)))
            put(bucket, content)

        monkeypatch.setattr(archive.objects, "put", remember)
        archive.store(make_instance(**NAMES))
        assert (f"{KEY}/frames/1", False) in pieces
        frame = archive.objects.objects["static", f"{KEY}/frames/1"]
        assert isinstance(frame.body, bytes)
        assert bytes(range(32)) in frame.body
