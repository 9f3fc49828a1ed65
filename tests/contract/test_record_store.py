"""Contract of RecordStore: tests of the adapter in memory and of the one on DynamoDB."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.adapters.aws.dynamodb import DynamoDbRecordStore
from chalicelib.adapters.memory.stores import MemoryRecordStore
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.errors import ServiceFaultError
from chalicelib.ports import ClaimOutcome, ObjectVersion, RecordStore, Rejection

AT = datetime(2024, 3, 1, 12, 30, 15, tzinfo=UTC)
LANDING = ObjectVersion("landing", "a/b", "v1")
TABLES = {"records": ("study_instance_uid", "entity"), "rejections": ("object", "version_id")}


@pytest.fixture
def dynamodb(emulated_aws: Any) -> Any:
    client = emulated_aws.client("dynamodb")
    existing = client.list_tables()["TableNames"]
    for table, keys in TABLES.items():
        if table in existing:
            client.delete_table(TableName=table)
        client.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=True)
            ],
        )
    return client


@pytest.fixture(params=["memory", pytest.param("dynamodb", marks=pytest.mark.database)])
def store(request: pytest.FixtureRequest) -> RecordStore:
    if request.param == "memory":
        return MemoryRecordStore()
    return DynamoDbRecordStore(
        request.getfixturevalue("dynamodb"), records_table="records", rejections_table="rejections"
    )


def claim(store: RecordStore, uids: ResourceUids, sha256: str = "aa", landing: ObjectVersion = LANDING) -> ClaimOutcome:
    return store.claim_instance(uids, sha256=sha256, landing=landing, stored_at=AT)


def test_the_first_content_wins(store: RecordStore) -> None:
    uids = ResourceUids("1.2", "1.3", "1.4")
    assert claim(store, uids) is ClaimOutcome.NEW
    assert claim(store, uids) is ClaimOutcome.INCOMPLETE
    assert claim(store, uids, "bb") is ClaimOutcome.OTHER_CONTENT
    store.complete_instance(uids, qido={}, metadata=b"gz")
    assert claim(store, uids, landing=ObjectVersion("landing", "other", "v2")) is ClaimOutcome.COMPLETE
    assert claim(store, uids, "bb") is ClaimOutcome.OTHER_CONTENT
    record = store.get_instance(uids)
    assert record is not None
    assert (record.sha256, record.landing) == ("aa", LANDING)


def test_of_many_claims_at_once_one_is_new(store: RecordStore) -> None:
    uids = ResourceUids("1.2", "1.3", "1.5")
    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(lambda number: claim(store, uids, f"{number:02}"), range(16)))
    assert outcomes.count(ClaimOutcome.NEW) == 1
    assert outcomes.count(ClaimOutcome.OTHER_CONTENT) == 15


def test_a_record_is_read_as_it_was_written(store: RecordStore) -> None:
    uids = ResourceUids("1.2", "1.3", "1.4")
    assert store.get_instance(uids) is None
    claim(store, uids, landing=ObjectVersion("landing", "plain/ü", None))
    qido = {"00100010": {"vr": "PN", "Value": [{"Alphabetic": "O'Brien", "Ideographic": "山田"}]}}
    store.complete_instance(uids, qido=qido, metadata=bytes(range(256)))
    record = store.get_instance(uids)
    assert record is not None
    assert record.uids == uids
    assert record.landing == ObjectVersion("landing", "plain/ü", None)
    assert record.stored_at == AT
    assert record.complete
    assert record.qido == qido
    assert record.metadata == bytes(range(256))


def test_a_record_over_the_size_of_an_item_is_a_fault_and_stays_as_it_was(store: RecordStore) -> None:
    uids = ResourceUids("1.2", "1.3", "1.4")
    claim(store, uids)
    with pytest.raises(ServiceFaultError):
        store.complete_instance(uids, qido={}, metadata=bytes(400 * 1024))
    record = store.get_instance(uids)
    assert record is not None
    assert not record.complete


def test_a_study_lists_its_own_complete_instances_only(store: RecordStore) -> None:
    listed = [ResourceUids("1.2", f"1.2.{number % 3}", f"1.9.{number}") for number in range(30)]
    for uids in listed:
        claim(store, uids)
        store.complete_instance(uids, qido={}, metadata=None)
    claim(store, ResourceUids("1.2", "1.2.1", "9.9"))
    other = ResourceUids("1.20", "1.2.1", "1.9.1")
    claim(store, other)
    store.complete_instance(other, qido={}, metadata=None)
    store.put_qido_answers("1.2", {"0020000D": {}}, {"1.2.1": {}})
    assert sorted(record.uids for record in store.list_instances("1.2")) == sorted(listed)
    assert list(store.list_instances("7.7")) == []


def test_a_large_study_is_listed_over_all_its_pages(store: RecordStore) -> None:
    for number in range(12):
        uids = ResourceUids("1.2", "1.3", f"1.4.{number}")
        claim(store, uids)
        store.complete_instance(uids, qido={}, metadata=bytes(200_000))
    assert len(list(store.list_instances("1.2"))) == 12


def test_digests_are_known_of_registered_instances(store: RecordStore) -> None:
    instances = [ResourceUids("1.2", "1.3", f"1.4.{number}") for number in range(130)]
    for number, uids in enumerate(instances[:120]):
        claim(store, uids, f"{number:04}")
    digests = store.get_digests(instances)
    assert digests == {uids: f"{number:04}" for number, uids in enumerate(instances[:120])}
    assert store.get_digests([]) == {}


def test_qido_documents_of_all_levels_are_read_in_batches(store: RecordStore) -> None:
    series = {f"1.3.{number}": {"00200011": {"vr": "IS", "Value": [number]}} for number in range(130)}
    store.put_qido_answers("1.2", {"00100020": {"vr": "LO", "Value": ["P"]}}, series)
    uids = ResourceUids("1.2", "1.3.1", "1.4")
    claim(store, uids)
    store.complete_instance(uids, qido={"00080018": {"vr": "UI"}}, metadata=None)
    keys = [ResourceUids("1.2"), ResourceUids("1.2", "1.3.1", "1.4"), ResourceUids("9.9")]
    keys += [ResourceUids("1.2", uid) for uid in series]
    answers = store.get_qido_answers([*keys, ResourceUids("1.2")])
    assert answers[ResourceUids("1.2")] == {"00100020": {"vr": "LO", "Value": ["P"]}}
    assert answers[ResourceUids("1.2", "1.3.1", "1.4")] == {"00080018": {"vr": "UI"}}
    assert {uid: answers[ResourceUids("1.2", uid)] for uid in series} == series
    assert ResourceUids("9.9") not in answers


def test_metadata_of_instances_is_read_in_batches(store: RecordStore) -> None:
    keys = []
    for number in range(120):
        uids = ResourceUids("1.2", "1.3.1", f"1.4.{number}")
        store.claim_instance(uids, sha256="a", landing=LANDING, stored_at=AT)
        store.complete_instance(uids, qido={}, metadata=None if number == 7 else f"metadata {number}".encode())
        keys.append(ResourceUids("1.2", "1.3.1", f"1.4.{number}"))
    metadata = store.get_instance_metadata([*keys, ResourceUids("1.2", "1.3.1", "9.9")])
    assert set(metadata) == set(keys)
    assert metadata[keys[119]] == b"metadata 119"
    assert metadata[keys[7]] is None


def test_a_rejection_is_kept_once_for_each_version(store: RecordStore) -> None:
    first = Rejection(ObjectVersion("landing", "a/b c", "v1"), "not DICOM", 0xC000, AT)
    second = Rejection(ObjectVersion("landing", "a/b c", None), "duplicate", 0x0111, AT)
    for rejection in (first, second, first):
        store.put_rejection(rejection)
    assert sorted(store.list_rejections(), key=lambda it: it.reason) == [second, first]
