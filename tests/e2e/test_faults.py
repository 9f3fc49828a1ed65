"""A service fails, for a while or for long, and the archive is stopped: nothing is lost, and it goes on by itself."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from localstack.archive import Archive, Urls
from localstack.aws import EmulatedAws
from localstack.mariadb import start_mariadb
from localstack.provision import ensure_database_secret
from tests.e2e.backend import Backend, Landed
from tests.e2e.clients import get, search, store, values, wait_until
from tests.e2e.private_archive import private_archive
from tests.e2e.sources import make_source

# A message that fails comes again after five seconds, and twice at most.
VISIBILITY_SECONDS = 5
RECEIVES = 3


@pytest.fixture(scope="module")
def own() -> Iterator[tuple[Archive, Urls]]:
    with private_archive(
        "test-faults", visibility_timeout_seconds=VISIBILITY_SECONDS, max_receive_count=RECEIVES
    ) as archive_and_urls:
        yield archive_and_urls


@pytest.fixture(scope="module")
def control(own) -> Archive:
    """What starts and ends the parts of this module's archive."""
    return own[0]


@pytest.fixture(scope="module")
def archive(own) -> Urls:
    return own[1]


@pytest.fixture(scope="module")
def backend(archive) -> Backend:
    return Backend(archive)


@contextmanager
def database_down(archive: Archive) -> Iterator[None]:
    """End the database; start it again afterwards."""
    (record,) = [record for record in archive.supervisor.alive() if record.name == "mariadb"]
    psutil.Process(record.pid).terminate()
    wait_until(lambda: not record.is_alive(), "the database has ended")
    try:
        yield
    finally:
        ports = json.loads(archive.configuration.layout.ports.read_text())
        aws = EmulatedAws(ports["emulator"], archive.configuration.region)
        database = ensure_database_secret(aws, archive.configuration, ports["database"])
        start_mariadb(archive.supervisor, archive.configuration.layout, database)


@contextmanager
def uploads_untold(backend: Backend) -> Iterator[None]:
    """Keep S3 from telling of uploads, so that a test can, in the batches that it wants."""
    told = backend.s3.get_bucket_notification_configuration(Bucket=backend.landing_bucket)
    del told["ResponseMetadata"]
    backend.s3.put_bucket_notification_configuration(Bucket=backend.landing_bucket, NotificationConfiguration={})
    try:
        yield
    finally:
        backend.s3.put_bucket_notification_configuration(Bucket=backend.landing_bucket, NotificationConfiguration=told)


def test_a_message_that_keeps_failing_ends_as_dead_letter_and_its_batch_is_published(archive, backend) -> None:
    sources = [make_source("native") for _ in range(8)]
    with uploads_untold(backend):
        landed = [backend.upload(f"batch/{number}", source.data) for number, source in enumerate(sources)]
    events = [backend.event(version) for version in landed]
    unreadable = backend.event(Landed("x", "1")).replace(f'"{backend.landing_bucket}"', '"no-such-bucket"')
    failing = ["no S3 event", unreadable]
    backend.send(*events[:4], *failing, *events[4:])
    for source in sources:
        backend.wait_until_searchable(source.study_instance_uid, 1)
    wait_until(lambda: backend.dead_letters() == len(failing), "the failing messages are dead letters")
    assert sorted(backend.take_dead_letters()) == sorted(failing)
    assert backend.pending() == 0
    # A fault of a service is no fault of the object.
    assert backend.rejections() == {}


def test_a_fault_that_passes_is_healed_by_redelivery(control, archive, backend) -> None:
    source = make_source("native")
    with database_down(control):
        backend.upload("while the database is down.dcm", source.data)
        wait_until(lambda: backend.is_converted(source.data), "the instance is converted")
        answer = get(f"{archive.dicomweb}/studies")
        assert (answer.status, list(answer.json())) == (503, ["error"])
        assert store(archive.stow, make_source("native").data).status == 200
    backend.wait_until_searchable(source.study_instance_uid, 1)
    backend.wait_until_idle()
    assert backend.dead_letters() == 0


def test_a_fault_that_lasts_ends_as_dead_letter_which_can_be_sent_again(control, archive, backend) -> None:
    source = make_source("native")
    with database_down(control):
        landed = backend.upload("while the database is down for long.dcm", source.data)
        wait_until(backend.dead_letters, "the message is a dead letter")
    assert backend.instance_count(source.study_instance_uid) == 0
    assert backend.read(landed) == source.data

    backend.send(*backend.take_dead_letters())
    backend.wait_until_searchable(source.study_instance_uid, 1)
    (metadata,) = get(f"{archive.dicomweb}/studies/{source.study_instance_uid}/metadata").json()
    assert values([metadata], "00080018") == [source.dataset.SOPInstanceUID]


def test_a_stopped_archive_keeps_its_data_and_goes_on_with_what_it_had_not_done(control, archive, backend) -> None:
    before = make_source("RLE")
    assert store(archive.stow, before.data).status == 200
    backend.wait_until_searchable(before.study_instance_uid, 1)
    studies = search(f"{archive.dicomweb}/studies", limit=1000)
    metadata = get(f"{archive.dicomweb}/studies/{before.study_instance_uid}/metadata")
    frame = get(f"{archive.dicomweb}/{before.path}/frames/1")
    waiting = make_source("native")
    assert store(archive.stow, waiting.data).status == 200  # published before the stop or after it

    assert control.stop()
    assert not control.supervisor.alive()
    assert control.start() == archive

    backend.wait_until_searchable(waiting.study_instance_uid, 1)
    found = search(f"{archive.dicomweb}/studies", limit=1000)
    assert sorted(values(found, "0020000D")) == sorted([*values(studies, "0020000D"), waiting.study_instance_uid])
    again = get(f"{archive.dicomweb}/studies/{before.study_instance_uid}/metadata")
    assert (again.body, again.headers["ETag"]) == (metadata.body, metadata.headers["ETag"])
    assert get(f"{archive.dicomweb}/{before.path}/frames/1").body == frame.body
    assert get(f"{archive.dicomweb}/{before.path}").part().body == before.data
