from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import Stubber

from chalicelib.adapters.aws.dynamodb import DynamoDbRecordStore
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.errors import ServiceFaultError
from tests.support.aws_stubs import stubbed

FIRST, SECOND = ResourceUids("1.2", "1.3", "1.4"), ResourceUids("1.2", "1.3", "1.5")
KEYS = [
    {"study_instance_uid": {"S": "1.2"}, "entity": {"S": "instance/1.3/1.4"}},
    {"study_instance_uid": {"S": "1.2"}, "entity": {"S": "instance/1.3/1.5"}},
]


@pytest.fixture
def dynamodb() -> Iterator[Stubber]:
    with stubbed("dynamodb") as stub:
        yield stub


@pytest.fixture
def store(dynamodb: Stubber) -> DynamoDbRecordStore:
    return DynamoDbRecordStore(dynamodb.client, records_table="records", rejections_table="rejections")


def _wanted(*keys: dict[str, Any]) -> dict[str, Any]:
    projection = "study_instance_uid, entity, sha256"
    return {"records": {"Keys": list(keys), "ProjectionExpression": projection, "ConsistentRead": True}}


def _found(key: dict[str, Any], sha256: str) -> dict[str, Any]:
    return {"records": [{**key, "sha256": {"S": sha256}}]}


def test_keys_that_were_not_processed_are_asked_for_again(store: DynamoDbRecordStore, dynamodb: Stubber) -> None:
    first = {"Responses": _found(KEYS[0], "aa"), "UnprocessedKeys": _wanted(KEYS[1])}
    dynamodb.add_response("batch_get_item", first, {"RequestItems": _wanted(*KEYS)})
    second = {"Responses": _found(KEYS[1], "bb"), "UnprocessedKeys": {}}
    dynamodb.add_response("batch_get_item", second, {"RequestItems": _wanted(KEYS[1])})

    assert store.get_digests([FIRST, SECOND, FIRST]) == {FIRST: "aa", SECOND: "bb"}


def test_items_that_were_not_processed_are_written_again(store: DynamoDbRecordStore, dynamodb: Stubber) -> None:
    study, series = (
        {"PutRequest": {"Item": {"study_instance_uid": {"S": "1.2"}, "entity": {"S": entity}, "qido": {"S": "{}"}}}}
        for entity in ("study", "series/1.3")
    )
    first = {"UnprocessedItems": {"records": [series]}}
    dynamodb.add_response("batch_write_item", first, {"RequestItems": {"records": [study, series]}})
    dynamodb.add_response("batch_write_item", {}, {"RequestItems": {"records": [series]}})

    store.put_qido_answers("1.2", {}, {"1.3": {}})


def test_a_batch_that_is_never_processed_is_a_fault(
    store: DynamoDbRecordStore, dynamodb: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.adapters.aws.dynamodb._BATCH_ATTEMPTS", 2)
    for _ in range(2):
        dynamodb.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": _wanted(*KEYS)})

    with pytest.raises(ServiceFaultError, match="unprocessed"):
        store.get_digests([FIRST, SECOND])
