import json
import struct
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from chalicelib.dicomweb.compression import compress, decompress
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.dicomweb.wado.static_object import REVALIDATED, StaticObject
from chalicelib.errors import ServiceFaultError
from tests.support.archive import Archive, running_archive
from tests.support.builders import encode, make_dataset, make_instance


def metadata(archive: Archive, path: str) -> list[dict[str, Any]]:
    return json.loads(decompress(archive.objects.get_bytes("static", f"dicomweb/studies/{path}/metadata")))


def sop_instance_uids(datasets: list[dict[str, Any]]) -> list[str]:
    return [dataset["00080018"]["Value"][0] for dataset in datasets]


def value(document: dict[str, Any], tag: str) -> Any:
    return document[tag].get("Value")


def test_the_study_shows_all_its_series_and_instances() -> None:
    with running_archive() as archive:
        for number in range(1, 4):
            for series, modality in (("1.2.1", "CT"), ("1.2.10", "SR")):
                archive.store(
                    make_instance(
                        StudyInstanceUID="1.2",
                        SeriesInstanceUID=series,
                        SOPInstanceUID=f"{series}.{number}",
                        InstanceNumber=number,
                        Modality=modality,
                    )
                )
        assert sop_instance_uids(metadata(archive, "1.2/series/1.2.1")) == ["1.2.1.1", "1.2.1.2", "1.2.1.3"]
        assert sop_instance_uids(metadata(archive, "1.2/series/1.2.10")) == ["1.2.10.1", "1.2.10.2", "1.2.10.3"]
        assert len(sop_instance_uids(metadata(archive, "1.2"))) == 6
        study = archive.records.answers[ResourceUids("1.2")]
        assert (value(study, "00201206"), value(study, "00201208")) == ([2], [6])
        assert value(study, "00080061") == ["CT", "SR"]
        assert value(archive.records.answers[ResourceUids("1.2", "1.2.10")], "00201209") == [3]


def test_a_study_without_complete_instances_is_not_published() -> None:
    with running_archive() as archive:
        assert archive.publish("1.2") is False
        assert archive.objects.objects == {}
        assert archive.records.answers == {}


def test_instances_are_listed_by_their_number_not_by_their_uid() -> None:
    with running_archive() as archive:
        for number, uid in ((10, "1.1"), (9, "1.9"), (-1, "1.5")):
            archive.store(make_instance(StudyInstanceUID="1.2", SOPInstanceUID=uid, InstanceNumber=number))
        assert sop_instance_uids(metadata(archive, "1.2")) == ["1.5", "1.9", "1.1"]


def test_computed_attributes_are_not_put_into_study_metadata() -> None:
    with running_archive() as archive:
        archive.store(make_instance(StudyInstanceUID="1.2"))
        assert not {"00080061", "00201206", "00201208", "00201209"} & set(metadata(archive, "1.2")[0])


def test_instances_without_optional_attributes_are_published() -> None:
    missing = dict.fromkeys(("Modality", "PatientName", "SeriesNumber", "StudyDate", "InstanceNumber"))
    with running_archive() as archive:
        archive.store(make_instance(StudyInstanceUID="1.2", **missing))
        study = archive.records.answers[ResourceUids("1.2")]
        assert value(study, "00080061") is None
        assert value(study, "00201208") == [1]


def test_a_corrected_name_in_a_later_instance_is_shown_and_makes_no_second_study() -> None:
    with running_archive() as archive:
        archive.store(make_instance(StudyInstanceUID="1.2", SOPInstanceUID="1.9", PatientName="Wrong^Name"))
        archive.store(make_instance(StudyInstanceUID="1.2", SOPInstanceUID="1.1", PatientName="Right^Name"))
        archive.store(make_instance(StudyInstanceUID="1.2", SOPInstanceUID="1.5", PatientName=""))
        study = archive.records.answers[ResourceUids("1.2")]
        assert value(study, "00100010") == [{"Alphabetic": "Right^Name"}]


def test_who_waits_finds_his_instances_covered() -> None:
    with running_archive() as archive:
        archive.convert(archive.objects.land("k", make_instance(StudyInstanceUID="1.2")))
        real_mark = archive.index.mark_dirty
        versions = iter([real_mark("1.2"), real_mark("1.2")])
        archive.index.mark_dirty = lambda _study: next(versions)  # type: ignore[method-assign]
        assert archive.publish("1.2") is True
        puts = archive.objects.calls["put"]
        assert archive.publish("1.2") is False
        assert archive.objects.calls["put"] == puts


def test_a_series_that_did_not_change_is_not_written_again() -> None:
    with running_archive() as archive:
        archive.store(make_instance(StudyInstanceUID="1.2", SeriesInstanceUID="1.3"))
        archive.convert(archive.objects.land("k", make_instance(StudyInstanceUID="1.2", SeriesInstanceUID="1.4")))
        puts = archive.objects.calls["put"]
        archive.publish("1.2")
        # The new series' metadata and the study's.
        assert archive.objects.calls["put"] == puts + 2


def test_an_aggregate_left_by_a_publisher_that_died_is_replaced() -> None:
    with running_archive() as archive:
        stale = StaticObject("dicomweb/studies/1.2/metadata", compress(b"[]"), "application/dicom+json", REVALIDATED)
        archive.objects.put_aggregate("static", stale, None)
        archive.store(make_instance(StudyInstanceUID="1.2", SOPInstanceUID="1.7"))
        assert sop_instance_uids(metadata(archive, "1.2")) == ["1.7"]


def test_a_publisher_that_lost_its_lock_does_not_overwrite_a_newer_aggregate() -> None:
    with running_archive() as archive:
        archive.convert(archive.objects.land("k", make_instance(StudyInstanceUID="1.2", SOPInstanceUID="1.7")))
        newer = StaticObject("dicomweb/studies/1.2/metadata", compress(b"[]"), "application/dicom+json", REVALIDATED)
        list_instances, real_turn = archive.records.list_instances, archive.index.turn
        turns = []

        @contextmanager
        def remembered_turn(study: str) -> Any:
            with real_turn(study) as turn:
                turns.append(turn)
                yield turn

        def lose_the_lock_meanwhile(study: str) -> Any:
            instances = list(list_instances(study))
            turns[0].held = False
            archive.objects.put_aggregate("static", newer, None)
            return iter(instances)

        archive.index.turn = remembered_turn  # type: ignore[method-assign]
        archive.records.list_instances = lose_the_lock_meanwhile  # type: ignore[method-assign]
        with pytest.raises(ServiceFaultError):
            archive.publish("1.2")
        assert archive.objects.objects["static", newer.key] == newer


@pytest.mark.parametrize("twice", [False, True])
def test_many_converters_at_once_lose_and_repeat_nothing(twice: bool) -> None:
    with running_archive() as archive:
        landed = [
            archive.objects.land(
                f"k{number}",
                make_instance(
                    StudyInstanceUID="1.2",
                    SeriesInstanceUID=f"1.2.{number % 4}",
                    SOPInstanceUID=f"1.5.{number}",
                    InstanceNumber=number,
                ),
            )
            for number in range(80)
        ]

        def ingest(landing: Any) -> None:
            study = archive.convert(landing)
            assert study is not None
            archive.publish(study)

        with ThreadPoolExecutor(16) as clients:
            list(clients.map(ingest, (landed * 2)[::-1] if twice else landed))
        expected = {f"1.5.{number}" for number in range(80)}
        listed = sop_instance_uids(metadata(archive, "1.2"))
        assert len(listed) == 80
        assert set(listed) == expected
        for series in range(4):
            assert len(metadata(archive, f"1.2/series/1.2.{series}")) == 20
            assert value(archive.records.answers[ResourceUids("1.2", f"1.2.{series}")], "00201209") == [20]
        assert value(archive.records.answers[ResourceUids("1.2")], "00201208") == [80]


def test_metadata_too_large_for_a_record_is_read_from_its_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.services.convert_instance.MAX_RECORD_METADATA_BYTES", 10)
    with running_archive() as archive:
        archive.store(make_instance(StudyInstanceUID="1.2", SOPInstanceUID="1.7"))
        assert [record.metadata for record in archive.records.instances.values()] == [None]
        assert sop_instance_uids(metadata(archive, "1.2")) == ["1.7"]


@pytest.mark.parametrize("number", ["--5", "1" * 5000, "+-1", "٣", " ", "1.5", "1e3", "\\", "x" * 20])
def test_no_instance_number_keeps_its_study_from_being_published(number: str) -> None:
    with running_archive() as archive:
        dataset = make_dataset(StudyInstanceUID="1.2", SOPInstanceUID="1.2.3.1", InstanceNumber=None)
        dataset.add_new(0x00200013, "UT", number)
        archive.store(encode(dataset))
        archive.store(make_instance(StudyInstanceUID="1.2", SOPInstanceUID="1.2.3.2"))
        assert sorted(sop_instance_uids(metadata(archive, "1.2"))) == ["1.2.3.1", "1.2.3.2"]


@pytest.mark.parametrize(
    ("vr", "text"), [("UI", "\0 1.2.3")] + [(vr, "1.2.3 ") for vr in ("LO", "SH", "ST", "DS", "IS")]
)
@pytest.mark.parametrize(
    ("keyword", "tag"),
    [("StudyInstanceUID", "0020000D"), ("SeriesInstanceUID", "0020000E"), ("SOPInstanceUID", "00080018")],
)
def test_a_uid_is_that_of_the_record_however_the_file_encodes_it(keyword: str, tag: str, vr: str, text: str) -> None:
    uids = {"StudyInstanceUID": "1.9", "SeriesInstanceUID": "1.9.1", "SOPInstanceUID": "1.9.1.1"}
    dataset = make_dataset(**{**uids, keyword: None})
    dataset.add_new(int(tag, 16), "LO", text)
    encoded_tag = struct.pack("<HH", int(tag[:4], 16), int(tag[4:], 16))
    file = encode(dataset).replace(encoded_tag + b"LO", encoded_tag + vr.encode())
    study = ResourceUids({**uids, keyword: "1.2.3"}["StudyInstanceUID"])
    with running_archive() as archive:
        archive.store(file)
        archive.store(make_instance(**{**uids, keyword: "1.2.3", "SOPInstanceUID": "7.7"}))
        [other] = [
            each for each in metadata(archive, study.study_instance_uid) if each["00080018"].get("Value") != ["7.7"]
        ]
        assert other[tag] == {"vr": "UI", "Value": ["1.2.3"]}
        document = archive.records.answers[study]
        assert (value(document, "00201206"), value(document, "00201208")) == ([1], [2])
