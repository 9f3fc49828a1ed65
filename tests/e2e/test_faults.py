"""A service fails for a short or a long time, or the archive is stopped: no instance is lost, and work continues."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psutil
import pytest

from localstack.archive import Archive
from localstack.deployment.provision import ensure_database_secret
from localstack.parts.aws import EmulatedAws
from localstack.parts.mariadb import Database, connect, start_mariadb
from localstack.parts.urls import Urls
from localstack.waiting import wait_until
from tests.e2e.support.backend import Backend, Landed
from tests.e2e.support.clients import get, search, store, values
from tests.e2e.support.private_archive import private_archive
from tests.e2e.support.sources import fresh_uid, make_source
from tests.support.builders import make_instance

# A failed message is retried after five seconds, at most twice.
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
    """The archive of this module, which can start and stop its parts."""
    return own[0]


@pytest.fixture(scope="module")
def archive(own) -> Urls:
    return own[1]


@pytest.fixture(scope="module")
def backend(archive) -> Backend:
    return Backend(archive)


@contextmanager
def database_down(archive: Archive) -> Iterator[None]:
    """Stop the database, and start it again after the block."""
    (record,) = [record for record in archive.supervisor.alive() if record.name == "mariadb"]
    psutil.Process(record.pid).terminate()
    wait_until(lambda: not record.is_alive(), "the database has ended")
    try:
        yield
    finally:
        start_mariadb(archive.supervisor, archive.configuration.layout, database_of(archive))


def database_of(archive: Archive) -> Database:
    ports = json.loads(archive.configuration.layout.ports.read_text())
    aws = EmulatedAws(ports["emulator"], archive.configuration.region)
    return ensure_database_secret(aws, archive.configuration, ports["database"])


def lose_index(archive: Archive) -> None:
    """Delete all rows, which leaves the schema as after the migration of a new cluster."""
    with closing(connect(database_of(archive))) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW TABLES")
        tables = [name for (name,) in cursor.fetchall()]
        assert {"studies", "series", "instances", "publications", "aggregates"} <= set(tables)
        for table in tables:
            cursor.execute(f"DELETE FROM `{table}`")


def lose_records(backend: Backend, study: str) -> None:
    """Delete all records of a study."""
    table = backend.urls.records_table
    condition = {
        "KeyConditionExpression": "study_instance_uid = :study",
        "ExpressionAttributeValues": {":study": {"S": study}},
    }
    items = backend.dynamodb.query(TableName=table, **condition)["Items"]
    assert items
    for item in items:
        backend.dynamodb.delete_item(
            TableName=table, Key={name: item[name] for name in ("study_instance_uid", "entity")}
        )


@contextmanager
def notifications_off(backend: Backend) -> Iterator[None]:
    """Turn off S3's notifications within the block, so that a test can send them in batches of its own."""
    former = backend.s3.get_bucket_notification_configuration(Bucket=backend.landing_bucket)
    del former["ResponseMetadata"]
    backend.s3.put_bucket_notification_configuration(Bucket=backend.landing_bucket, NotificationConfiguration={})
    try:
        yield
    finally:
        backend.s3.put_bucket_notification_configuration(
            Bucket=backend.landing_bucket, NotificationConfiguration=former
        )


def test_a_message_that_keeps_failing_ends_as_dead_letter_and_its_batch_is_published(archive, backend) -> None:
    sources = [make_source("native") for _ in range(8)]
    with notifications_off(backend):
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
    # The object is not to blame for the fault of a service.
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


@pytest.mark.parametrize("records_too", [False, True], ids=["index lost", "index and records lost"])
def test_what_was_lost_is_rebuilt_by_replaying_events(control, archive, backend, records_too) -> None:
    study, series = fresh_uid(), [fresh_uid(), fresh_uid()]
    instances = [make_instance(StudyInstanceUID=study, SeriesInstanceUID=series[number % 2]) for number in range(3)]
    landed = [backend.upload(f"{study}/{number}", instance) for number, instance in enumerate(instances)]
    backend.wait_until_searchable(study, len(instances))
    url = f"{archive.dicomweb}/studies/{study}"
    metadata = get(f"{url}/metadata")
    backend.wait_until_idle()

    lose_index(control)
    assert backend.instance_count(study) == 0
    if records_too:
        lose_records(backend, study)
    # A publication writes a whole study: if the records exist, one event is enough.
    backend.send(*map(backend.event, landed if records_too else landed[:1]))

    backend.wait_until_searchable(study, len(instances))
    assert sorted(values(search(f"{url}/series"), "0020000E")) == sorted(series)
    assert len(search(f"{url}/instances")) == len(instances)
    again = get(f"{url}/metadata").json()
    assert sorted(values(again, "00080018")) == sorted(values(metadata.json(), "00080018"))
    backend.wait_until_idle()
    assert backend.dead_letters() == 0
