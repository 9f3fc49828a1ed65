"""RecordStore on DynamoDB.

Records table: partition key ``study_instance_uid``, sort key ``entity`` (``study``, ``series/<uid>``,
``instance/<series>/<sop>``). Rejections table: partition key ``object`` (bucket/key), sort key
``version_id``. QIDO documents are JSON text, metadata is gzip-compressed binary.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError
from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_random_exponential

from chalicelib.adapters.aws.clients import batches, service_faults
from chalicelib.dicomweb.attributes import DicomJson
from chalicelib.dicomweb.json_text import dump_json
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.errors import ServiceFaultError
from chalicelib.ports import ClaimOutcome, InstanceRecord, ObjectVersion, RecordStore, Rejection

Item = dict[str, Any]

_GET_BATCH = 100  # keys that BatchGetItem accepts
_WRITE_BATCH = 25  # requests that BatchWriteItem accepts
# DynamoDB processes only a part of a batch if it is busy or the answer is over 16 MB.
_BATCH_ATTEMPTS = 8
_UNVERSIONED = "null"


class DynamoDbRecordStore(RecordStore):
    """Records in DynamoDB.

    Parameters
    ----------
    client
        A boto3 DynamoDB client (the conversions of a boto3 resource cost more than the call).
    """

    def __init__(self, client: Any, *, records_table: str, rejections_table: str) -> None:
        self._client = client
        self._records = records_table
        self._rejections = rejections_table

    def claim_instance(
        self, uids: ResourceUids, *, sha256: str, landing: ObjectVersion, stored_at: datetime
    ) -> ClaimOutcome:
        """Register the content of an instance; the first content wins."""
        item = {
            **_key(uids),
            "sha256": {"S": sha256},
            "landing_bucket": {"S": landing.bucket},
            "landing_key": {"S": landing.key},
            "landing_version": {"S": landing.version_id or _UNVERSIONED},
            "stored_at": {"S": stored_at.isoformat()},
            "complete": {"BOOL": False},
        }
        with service_faults("DynamoDB"):
            try:
                self._client.put_item(
                    TableName=self._records,
                    Item=item,
                    ConditionExpression="attribute_not_exists(entity)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except self._client.exceptions.ConditionalCheckFailedException as error:
                return _outcome(error, sha256)
        return ClaimOutcome.NEW

    def complete_instance(self, uids: ResourceUids, *, qido: DicomJson, metadata: bytes | None) -> None:
        """Complete a record with the attributes and the metadata from which aggregates are made."""
        values: Item = {":complete": {"BOOL": True}, ":qido": _text(qido)}
        update = "SET complete = :complete, qido = :qido"
        if metadata is not None:
            values[":metadata"] = {"B": metadata}
            update += ", metadata = :metadata"
        with service_faults("DynamoDB"):
            self._client.update_item(
                TableName=self._records,
                Key=_key(uids),
                UpdateExpression=update,
                ExpressionAttributeValues=values,
            )

    def get_instance(self, uids: ResourceUids) -> InstanceRecord | None:
        """Read one record, complete or only claimed."""
        with service_faults("DynamoDB"):
            answer = self._client.get_item(TableName=self._records, Key=_key(uids), ConsistentRead=True)
        return _record(answer["Item"]) if "Item" in answer else None

    def get_digests(self, instances: Sequence[ResourceUids]) -> Mapping[ResourceUids, str]:
        """SHA-256 of each of these instances that is registered."""
        items = self._get_batches(instances, "study_instance_uid, entity, sha256")
        return {uids: item["sha256"]["S"] for uids, item in items if "sha256" in item}

    def list_instances(self, study_instance_uid: str) -> Iterator[InstanceRecord]:
        """Read all complete instances of a study, strongly consistent."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._records,
            KeyConditionExpression="study_instance_uid = :study AND begins_with(entity, :instance)",
            FilterExpression="complete = :complete",
            ExpressionAttributeValues={
                ":study": {"S": study_instance_uid},
                ":instance": {"S": "instance/"},
                ":complete": {"BOOL": True},
            },
            ConsistentRead=True,
        )
        with service_faults("DynamoDB"):
            for page in pages:
                yield from map(_record, page["Items"])

    def put_qido_answers(self, study_instance_uid: str, study: DicomJson, series: Mapping[str, DicomJson]) -> None:
        """Write the QIDO documents of a study and of its (changed) series."""
        items = [{**_key(ResourceUids(study_instance_uid)), "qido": _text(study)}]
        items += [
            {**_key(ResourceUids(study_instance_uid, uid)), "qido": _text(document)} for uid, document in series.items()
        ]
        for batch in batches(items, _WRITE_BATCH):
            self._write_batch([{"PutRequest": {"Item": item}} for item in batch])

    def get_qido_answers(self, keys: Sequence[ResourceUids]) -> Mapping[ResourceUids, DicomJson]:
        """QIDO documents of studies, series and instances; missing ones are left out."""
        items = self._get_batches(keys, "study_instance_uid, entity, qido")
        return {key: json.loads(item["qido"]["S"]) for key, item in items if "qido" in item}

    def get_instance_metadata(self, keys: Sequence[ResourceUids]) -> Mapping[ResourceUids, bytes | None]:
        """Metadata of instances; missing ones are left out."""
        # Consistent: the index may show an instance before every replica has the metadata that was written before.
        items = self._get_batches(keys, "study_instance_uid, entity, metadata")
        return {key: bytes(item["metadata"]["B"]) if "metadata" in item else None for key, item in items}

    def put_rejection(self, rejection: Rejection) -> None:
        """Record that a landing object will never be published."""
        landing = rejection.landing
        item = {
            "object": {"S": f"{landing.bucket}/{landing.key}"},
            "version_id": {"S": landing.version_id or _UNVERSIONED},
            "reason": {"S": rejection.reason},
            "failure_reason": {"N": str(rejection.failure_reason)},
            "rejected_at": {"S": rejection.rejected_at.isoformat()},
        }
        with service_faults("DynamoDB"):
            self._client.put_item(TableName=self._rejections, Item=item)

    def list_rejections(self) -> Iterator[Rejection]:
        """Read all rejected landing objects, in no particular order."""
        with service_faults("DynamoDB"):
            for page in self._client.get_paginator("scan").paginate(TableName=self._rejections):
                yield from map(_rejection, page["Items"])

    def _get_batches(self, keys: Sequence[ResourceUids], projection: str) -> Iterator[tuple[ResourceUids, Item]]:
        """Read items, strongly consistent."""
        for batch in batches(list(dict.fromkeys(keys)), _GET_BATCH):  # DynamoDB refuses repeated keys
            wanted = {
                "Keys": [_key(key) for key in batch],
                "ProjectionExpression": projection,
                "ConsistentRead": True,
            }
            for item in self._get_batch({self._records: wanted}):
                yield _uids(item), item

    def _get_batch(self, request: Item) -> list[Item]:
        found: list[Item] = []

        def send(request: Item) -> Item | None:
            answer: Item = self._client.batch_get_item(RequestItems=request)
            found.extend(answer["Responses"].get(self._records, []))
            return answer.get("UnprocessedKeys")

        with service_faults("DynamoDB"):
            _send_all(send, request)
        return found

    def _write_batch(self, requests: list[Item]) -> None:
        def send(request: Item) -> Item | None:
            answer: Item = self._client.batch_write_item(RequestItems=request)
            return answer.get("UnprocessedItems")

        with service_faults("DynamoDB"):
            _send_all(send, {self._records: requests})


def _send_all(send: Callable[[Item], Item | None], request: Item) -> None:
    """Send a batch, and repeat the part that DynamoDB did not process until all of it is processed.

    `send` returns the part of the request that was not processed.
    """
    rest: Item | None = request

    def send_rest() -> Item | None:
        nonlocal rest
        rest = send(rest or {})
        return rest

    retrying = Retrying(
        retry=retry_if_result(bool),
        stop=stop_after_attempt(_BATCH_ATTEMPTS),
        wait=wait_random_exponential(0.05, max=2),
        retry_error_callback=lambda _state: True,
    )
    if retrying(send_rest):
        raise ServiceFaultError("DynamoDB left a part of a batch unprocessed")


def _outcome(error: ClientError, sha256: str) -> ClaimOutcome:
    item: Item = error.response["Item"]
    if item["sha256"]["S"] != sha256:
        return ClaimOutcome.OTHER_CONTENT
    return ClaimOutcome.COMPLETE if item["complete"]["BOOL"] else ClaimOutcome.INCOMPLETE


def _key(uids: ResourceUids) -> Item:
    _study, *below = uids.uids
    entity = "/".join((uids.level.name.lower(), *below))
    return {"study_instance_uid": {"S": uids.study_instance_uid}, "entity": {"S": entity}}


def _uids(item: Item) -> ResourceUids:
    _level, *below = item["entity"]["S"].split("/")
    return ResourceUids(item["study_instance_uid"]["S"], *below)


def _record(item: Item) -> InstanceRecord:
    return InstanceRecord(
        uids=_uids(item),
        sha256=item["sha256"]["S"],
        landing=_version(item["landing_bucket"], item["landing_key"], item["landing_version"]),
        stored_at=datetime.fromisoformat(item["stored_at"]["S"]),
        complete=item["complete"]["BOOL"],
        qido=json.loads(item["qido"]["S"]) if "qido" in item else {},
        metadata=bytes(item["metadata"]["B"]) if "metadata" in item else None,
    )


def _rejection(item: Item) -> Rejection:
    bucket, _, key = item["object"]["S"].partition("/")
    return Rejection(
        landing=_version({"S": bucket}, {"S": key}, item["version_id"]),
        reason=item["reason"]["S"],
        failure_reason=int(item["failure_reason"]["N"]),
        rejected_at=datetime.fromisoformat(item["rejected_at"]["S"]),
    )


def _version(bucket: Item, key: Item, version_id: Item) -> ObjectVersion:
    version = version_id["S"]
    return ObjectVersion(bucket["S"], key["S"], None if version == _UNVERSIONED else version)


def _text(document: DicomJson) -> Item:
    return {"S": dump_json(document).decode()}
