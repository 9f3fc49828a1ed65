"""The composition root: wires settings, adapters and services. Each is created when it is first asked for.

Imports are inside the functions on purpose: the search function must not load modules that only conversion needs.
pydicom alone takes longer to import than everything that a search imports. Nothing connects when this module is
imported.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ssl import SSLContext

    from chalicelib.adapters.aws.secrets import Secrets
    from chalicelib.adapters.mysql.migration import IndexMigration
    from chalicelib.ports import MessageQueue, ObjectStore, RecordStore, StudyIndex
    from chalicelib.services.ingest_batch import IngestBatch
    from chalicelib.services.make_representation import MakeRepresentation
    from chalicelib.services.publish_study import PublishStudy
    from chalicelib.services.search import SearchService
    from chalicelib.services.store_instances import StoreInstances, StoreLimits
    from chalicelib.settings import Settings, StowSettings

# As many as a batch has messages (`app.convert`): all of them are converted concurrently.
_CONCURRENT_CONVERSIONS = 10
# Static objects that are written concurrently, for all conversions together. boto3's pool has 64 connections.
_CONCURRENT_WRITES = 32


class Services:
    """The services of one process.

    Parameters
    ----------
    settings
        Names of buckets, tables, secrets and the queue, and limits.
    objects, records, index, queue
        Stand-ins for the adapters, for tests.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        objects: ObjectStore | None = None,
        records: RecordStore | None = None,
        index: StudyIndex | None = None,
        queue: MessageQueue | None = None,
    ) -> None:
        self.settings = settings
        # A cached property that has been set is not computed.
        if objects is not None:
            self.objects = objects
        if records is not None:
            self.records = records
        if index is not None:
            self.index = index
        if queue is not None:
            self.queue = queue

    @cached_property
    def objects(self) -> ObjectStore:
        """Objects, in S3."""
        from chalicelib.adapters.aws.s3 import S3ObjectStore

        return S3ObjectStore(_client("s3"), in_memory_bytes=self.settings.in_memory_bytes)

    @cached_property
    def records(self) -> RecordStore:
        """Records of instances, in DynamoDB."""
        from chalicelib.adapters.aws.dynamodb import DynamoDbRecordStore

        return DynamoDbRecordStore(
            _client("dynamodb"),
            records_table=self.settings.records_table,
            rejections_table=self.settings.rejections_table,
        )

    @cached_property
    def index(self) -> StudyIndex:
        """Index of studies, in MySQL, with the credentials from Secrets Manager."""
        from chalicelib.adapters.mysql.credentials import SecretConnections
        from chalicelib.adapters.mysql.index import MysqlIndex

        secret_id = self.settings.database_secret_id
        return MysqlIndex(SecretConnections(lambda: self._secrets.read(secret_id), self._database_tls))

    @cached_property
    def queue(self) -> MessageQueue:
        """The landing queue, in SQS."""
        from chalicelib.adapters.aws.sqs import SqsMessageQueue

        return SqsMessageQueue(_client("sqs"), self.settings.landing_queue_name)

    @cached_property
    def migration(self) -> IndexMigration:
        """Migration of the index's schema and user, with the credentials of the master user.

        Raises
        ------
        ServiceFaultError
            DATABASE_MASTER_SECRET_ID is not set; it is set for the function `migrate` only.
        """
        from chalicelib.adapters.mysql.migration import IndexMigration
        from chalicelib.errors import ServiceFaultError
        from chalicelib.settings import DatabaseTls

        master = self.settings.database_master_secret_id
        if master is None:
            raise ServiceFaultError("DATABASE_MASTER_SECRET_ID is not set")
        return IndexMigration(
            read_master=lambda: self._secrets.read(master),
            read_user=lambda: self._secrets.read(self.settings.database_secret_id),
            tls=self._database_tls,
            require_tls=self.settings.database_tls is not DatabaseTls.PREFERRED,
        )

    @cached_property
    def _database_tls(self) -> SSLContext | None:
        from chalicelib.adapters.mysql.credentials import tls_context

        return tls_context(self.settings.database_tls, self.settings.database_ca_file)

    @cached_property
    def _secrets(self) -> Secrets:
        from chalicelib.adapters.aws.secrets import Secrets

        return Secrets(_client("secretsmanager"))

    @cached_property
    def search(self) -> SearchService:
        """Search (QIDO-RS)."""
        from chalicelib.services.search import SearchService

        return SearchService(
            index=self.index,
            records=self.records,
            dicomweb_root=self.settings.dicomweb_root,
            # The S3 client is created with the first read, which few searches need.
            read_static=lambda key: self.objects.get_bytes(self.settings.static_bucket, key),
        )

    @cached_property
    def representations(self) -> MakeRepresentation:
        """WADO-RS resources that are not in the static bucket."""
        from chalicelib.services.make_representation import MakeRepresentation

        return MakeRepresentation(
            objects=self.objects,
            records=self.records,
            static_bucket=self.settings.static_bucket,
            dicomweb_root=self.settings.dicomweb_root,
            max_inflated_bytes=self.settings.max_inflated_bytes,
        )

    @cached_property
    def publish(self) -> PublishStudy:
        """Publication of a study."""
        from chalicelib.services.publish_study import PublishStudy

        return PublishStudy(
            index=self.index,
            records=self.records,
            objects=self.objects,
            static_bucket=self.settings.static_bucket,
        )

    @cached_property
    def ingest(self) -> IngestBatch:
        """Conversion and publication of a batch of landing objects."""
        from chalicelib.services.convert_instance import ConvertInstance
        from chalicelib.services.ingest_batch import IngestBatch

        convert = ConvertInstance(
            objects=self.objects,
            records=self.records,
            # Conversions wait for these writes. In the conversions' own executor the writes could find no free thread.
            executor=ThreadPoolExecutor(_CONCURRENT_WRITES, "write"),
            static_bucket=self.settings.static_bucket,
            dicomweb_root=self.settings.dicomweb_root,
            max_inflated_bytes=self.settings.max_inflated_bytes,
        )
        return IngestBatch(
            convert=convert.convert,
            publish=self.publish.publish,
            queue=self.queue,
            executor=ThreadPoolExecutor(_CONCURRENT_CONVERSIONS, "convert"),
            retry_seconds=self.settings.landing_retry_seconds,
        )


def store_service(settings: Settings, stow: StowSettings) -> StoreInstances:
    """Storing of instances (STOW-RS), for the STOW service."""
    from chalicelib.adapters.aws.s3_landing import S3Landing
    from chalicelib.services.store_instances import StoreInstances

    return StoreInstances(
        S3Landing(_client("s3"), settings.landing_bucket), Services(settings).records, store_limits(settings, stow)
    )


def store_limits(settings: Settings, stow: StowSettings) -> StoreLimits:
    """Limits of the STOW service."""
    from chalicelib.services.store_instances import StoreLimits

    return StoreLimits(
        in_memory_bytes=stow.in_memory_bytes,
        buffer_bytes=stow.buffer_bytes,
        max_instance_bytes=settings.max_instance_bytes,
        max_inflated_bytes=settings.max_inflated_bytes,
        max_instances=stow.max_instances,
        uploads_per_request=stow.uploads_per_request,
        upload_threads=stow.upload_threads,
    )


def _client(service: str) -> Any:
    from chalicelib.adapters.aws.clients import make_client

    return make_client(service)
