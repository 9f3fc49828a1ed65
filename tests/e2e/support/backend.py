"""The AWS services of a running archive as an operator sees them: buckets, queues and tables."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from urllib.parse import quote_plus

from localstack.parts.urls import Urls
from localstack.waiting import wait_until
from tests.e2e.support.clients import search, values

_INSTANCES = "00201208"  # Number of Study Related Instances


@dataclass(frozen=True)
class Landed:
    """A version of an object in the landing bucket."""

    key: str
    version_id: str


class Backend:
    """Buckets, queues and tables of one archive."""

    def __init__(self, urls: Urls) -> None:
        aws = urls.aws()
        self.urls = urls
        self.s3, self.sqs, self.dynamodb = aws.client("s3"), aws.client("sqs"), aws.client("dynamodb")
        self.landing_bucket = urls.landing_bucket
        self.queue_url = self.sqs.get_queue_url(QueueName=urls.landing_queue)["QueueUrl"]
        self.dead_letter_url = self.sqs.get_queue_url(QueueName=f"{urls.landing_queue}-dead-letter")["QueueUrl"]

    # --- the landing bucket ---------------------------------------------------------------------

    def upload(self, key: str, content: bytes) -> Landed:
        """Upload an object to the landing bucket, as any S3 client does."""
        answer = self.s3.put_object(Bucket=self.landing_bucket, Key=key, Body=content)
        return Landed(key, answer["VersionId"])

    def read(self, landed: Landed) -> bytes:
        """Return the content of a version."""
        answer = self.s3.get_object(Bucket=self.landing_bucket, Key=landed.key, VersionId=landed.version_id)
        return bytes(answer["Body"].read())

    def landed(self, prefix: str = "") -> set[Landed]:
        """Return all versions whose key begins with a prefix."""
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.landing_bucket, Prefix=prefix)
        return {Landed(version["Key"], version["VersionId"]) for page in pages for version in page.get("Versions", [])}

    # --- the queues -----------------------------------------------------------------------------

    def event(self, landed: Landed) -> str:
        """Return the notification that S3 sends about a new version; it contains the key in form encoding."""
        s3 = {
            "bucket": {"name": self.landing_bucket},
            "object": {"key": quote_plus(landed.key, safe="/"), "versionId": landed.version_id},
        }
        return json.dumps({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": s3}]})

    def send(self, *bodies: str) -> None:
        """Send messages to the landing queue."""
        for start in range(0, len(bodies), 10):
            batch = bodies[start : start + 10]
            answer = self.sqs.send_message_batch(
                QueueUrl=self.queue_url,
                Entries=[{"Id": str(number), "MessageBody": body} for number, body in enumerate(batch)],
            )
            assert not answer.get("Failed")

    def pending(self) -> int:
        """Return the number of messages in the landing queue, including those in process."""
        return self._count(self.queue_url)

    def dead_letters(self) -> int:
        """Return the number of messages in the dead-letter queue."""
        return self._count(self.dead_letter_url)

    def take_dead_letters(self) -> list[str]:
        """Remove all messages from the dead-letter queue; returns their bodies."""
        bodies = []
        while messages := self.sqs.receive_message(QueueUrl=self.dead_letter_url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                self.sqs.delete_message(QueueUrl=self.dead_letter_url, ReceiptHandle=message["ReceiptHandle"])
                bodies.append(message["Body"])
        return bodies

    def wait_until_idle(self, seconds: float = 120) -> None:
        """Wait until the landing queue is empty.

        A message of `send` is in the queue immediately, the notification about an upload a moment later. To wait for
        an upload that should change nothing, send its event once more.
        """
        wait_until(lambda: self.pending() == 0, "the landing queue is empty", seconds)

    def _count(self, queue_url: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)

    # --- the results ----------------------------------------------------------------------------

    def rejections(self) -> dict[Landed, tuple[int, str]]:
        """Return failure reason and text of every rejected version."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.urls.rejections_table, ConsistentRead=True)
        return {
            Landed(item["object"]["S"].removeprefix(f"{self.landing_bucket}/"), item["version_id"]["S"]): (
                int(item["failure_reason"]["N"]),
                item["reason"]["S"],
            )
            for page in pages
            for item in page["Items"]
        }

    def is_converted(self, content: bytes) -> bool:
        """Whether the instance with this content is converted; its study need not be published yet."""
        return hashlib.sha256(content).hexdigest() in self.published()

    def wait_until_dealt_with(self, *versions: Landed, seconds: float = 120) -> None:
        """Wait until each version is published or rejected."""
        wait_until(
            lambda: set(versions) <= set(self.published().values()) | set(self.rejections()),
            "all uploads are published or rejected",
            seconds,
        )

    def wait_until_rejected(self, landed: Landed) -> None:
        """Wait until a version is recorded as rejected."""
        wait_until(lambda: landed in self.rejections(), f"{landed.key} is rejected")

    def published(self) -> dict[str, Landed]:
        """Return the landing version of each converted instance by the SHA-256 of its content."""
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=self.urls.records_table,
            ConsistentRead=True,
            ProjectionExpression="entity, sha256, landing_key, landing_version, complete",
        )
        return {
            item["sha256"]["S"]: Landed(item["landing_key"]["S"], item["landing_version"]["S"])
            for page in pages
            for item in page["Items"]
            if item["entity"]["S"].startswith("instance/") and item["complete"]["BOOL"]
        }

    def instance_count(self, study_instance_uid: str) -> int:
        """Return the number of instances that a search reports for a study."""
        hits = search(f"{self.urls.dicomweb}/studies", StudyInstanceUID=study_instance_uid)
        return int(values(hits, _INSTANCES)[0]) if hits else 0

    def wait_until_searchable(self, study_instance_uid: str, instances: int, seconds: float = 60) -> None:
        """Wait until search counts all instances of a study."""
        wait_until(
            lambda: self.instance_count(study_instance_uid) == instances,
            f"{study_instance_uid} has {instances} instances",
            seconds,
        )
