"""Many clients store one study concurrently, events come twice and in any order: study and series are complete."""

import itertools
import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from tests.e2e.support.clients import get, search, store, values
from tests.e2e.support.sources import fresh_uid
from tests.support.builders import make_instance

T = TypeVar("T")

CLIENTS = 16
INSTANCES = 200
MODALITIES = ["CT", "MR", "PT", "SEG"]  # one series each

SERIES_UID, SOP_UID = "0020000E", "00080018"
MODALITIES_IN_STUDY, MODALITY = "00080061", "00080060"
STUDY_SERIES, STUDY_INSTANCES, SERIES_INSTANCES = "00201206", "00201208", "00201209"


@dataclass(frozen=True)
class Study:
    """The instances of a study with four series, in random order."""

    uid: str
    series: dict[str, list[str]]  # SOP Instance UIDs
    modality: dict[str, str]
    instances: list[bytes]


def make_study() -> Study:
    uid = fresh_uid()
    series: dict[str, list[str]] = {fresh_uid(): [] for _ in MODALITIES}
    modality = dict(zip(series, MODALITIES, strict=True))
    instances = []
    for number, series_uid in zip(range(INSTANCES), itertools.cycle(series)):
        sop_uid = fresh_uid()
        series[series_uid].append(sop_uid)
        instances.append(
            make_instance(
                StudyInstanceUID=uid,
                SeriesInstanceUID=series_uid,
                SOPInstanceUID=sop_uid,
                Modality=modality[series_uid],
                SeriesNumber=MODALITIES.index(modality[series_uid]) + 1,
                InstanceNumber=number + 1,
            )
        )
    random.shuffle(instances)
    return Study(uid, series, modality, instances)


def concurrently(function: Callable[[bytes], T], instances: Sequence[bytes]) -> list[T]:
    with ThreadPoolExecutor(CLIENTS) as clients:
        return list(clients.map(function, instances))


def check_complete(root: str, study: Study) -> None:
    """Check that every list, count and aggregate has each instance once."""
    once = {sop_uid: 1 for sop_uids in study.series.values() for sop_uid in sop_uids}
    url = f"{root}/studies/{study.uid}"
    every_page = {"limit": INSTANCES + 1}

    assert Counter(values(get(f"{url}/metadata").json(), SOP_UID)) == once
    assert Counter(values(search(f"{url}/instances", **every_page), SOP_UID)) == once
    assert Counter(values(search(f"{root}/instances", StudyInstanceUID=study.uid, **every_page), SOP_UID)) == once
    for series_uid, sop_uids in study.series.items():
        once_in_series = dict.fromkeys(sop_uids, 1)
        metadata = get(f"{url}/series/{series_uid}/metadata").json()
        assert Counter(values(metadata, SOP_UID)) == once_in_series
        assert set(values(metadata, SERIES_UID)) == {series_uid}
        hits = search(f"{url}/series/{series_uid}/instances", **every_page)
        assert Counter(values(hits, SOP_UID)) == once_in_series

    (found,) = search(f"{root}/studies", StudyInstanceUID=study.uid)
    assert values([found], STUDY_SERIES) == [len(study.series)]
    assert values([found], STUDY_INSTANCES) == [INSTANCES]
    assert found[MODALITIES_IN_STUDY]["Value"] == sorted(MODALITIES)
    for hits in (search(f"{url}/series"), search(f"{root}/series", StudyInstanceUID=study.uid)):
        assert Counter(values(hits, SERIES_UID)) == dict.fromkeys(study.series, 1)
        for hit in hits:
            (series_uid,) = values([hit], SERIES_UID)
            assert values([hit], SERIES_INSTANCES) == [len(study.series[series_uid])]
            assert values([hit], MODALITY) == [study.modality[series_uid]]
    for modality in MODALITIES:
        assert len(search(f"{root}/studies", StudyInstanceUID=study.uid, ModalitiesInStudy=modality)) == 1


def test_instances_stored_by_many_clients_one_by_one_are_all_there_and_once(archive, backend) -> None:
    study = make_study()
    assert set(concurrently(lambda instance: store(archive.stow, instance).status, study.instances)) == {200}
    backend.wait_until_searchable(study.uid, INSTANCES)
    check_complete(archive.dicomweb, study)
    backend.wait_until_idle()
    assert backend.dead_letters() == 0


def test_events_that_come_twice_and_in_any_order_end_the_same(archive, backend) -> None:
    study = make_study()
    numbers = itertools.count()
    told: list[str] = []
    lock = threading.Lock()

    def upload_and_repeat(instance: bytes) -> None:
        """Each upload is followed by a second notification, of any of the uploads so far."""
        event = backend.event(backend.upload(f"{study.uid}/{next(numbers)}", instance))
        with lock:
            told.append(event)
            random.shuffle(told)
            again = told.pop()
        backend.send(again)

    concurrently(upload_and_repeat, study.instances)
    assert not told
    backend.wait_until_searchable(study.uid, INSTANCES)
    backend.wait_until_idle()
    check_complete(archive.dicomweb, study)

    aggregates = [f"{archive.dicomweb}/studies/{study.uid}/metadata"]
    aggregates += [f"{archive.dicomweb}/studies/{study.uid}/series/{uid}/metadata" for uid in study.series]
    before = [get(url).headers["ETag"] for url in aggregates]
    late = [backend.event(landed) for landed in backend.landed(f"{study.uid}/")]
    random.shuffle(late)
    backend.send(*late)
    backend.wait_until_idle()
    assert [get(url).headers["ETag"] for url in aggregates] == before
    check_complete(archive.dicomweb, study)
    assert backend.dead_letters() == 0
