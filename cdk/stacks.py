"""Wires the stacks of one archive; the only place that knows what depends on what."""

from pathlib import Path

from aws_cdk import Annotations
from constructs import Construct

from cdk.application.access import AccessStack
from cdk.application.chalice_stage_settings import Resources
from cdk.application.stack import ApplicationStack
from cdk.archive.index import IndexStack
from cdk.archive.network import ISOLATED
from cdk.archive.records import RecordsStack
from cdk.archive.storage import StorageStack
from cdk.configuration.deployment import CERTIFICATE_REGION, Deployment
from cdk.front.distribution import EdgeStack
from cdk.front.firewall import FirewallStack
from cdk.front.viewer import ViewerStack
from cdk.operations.stack import EdgeOperationsStack, OperationsStack
from cdk.store.stack import StoreStack


def build(scope: Construct, deployment: Deployment, viewer_directory: Path | None = None) -> None:
    """Make all stacks of an archive.

    Parameters
    ----------
    viewer_directory
        OHIF's built files; fetched if not given.
    """
    storage = StorageStack(scope, deployment)
    records = RecordsStack(scope, deployment, data_key=storage.data_key)
    index = IndexStack(scope, deployment, data_key=storage.data_key, log_bucket=storage.log_bucket)
    access = AccessStack(scope, deployment, storage=storage, records=records, index=index)
    application = ApplicationStack(
        scope,
        deployment,
        data_key=storage.data_key,
        resources=_resources(deployment, storage, records, index, access),
    )
    store = StoreStack(scope, deployment, storage=storage, records=records, index=index)
    firewall = FirewallStack(scope, deployment)
    viewer = ViewerStack(scope, deployment, storage=storage, viewer_directory=viewer_directory)
    edge = EdgeStack(scope, deployment, storage=storage, application=application, viewer=viewer, firewall=firewall)
    operations = OperationsStack(
        scope, deployment, storage=storage, index=index, application=application, store=store, edge=edge
    )
    if deployment.region != CERTIFICATE_REGION:
        # Metrics of CloudFront and of its firewall are there only, and so must be their alarms.
        EdgeOperationsStack(scope, deployment, storage=storage, firewall=firewall, edge=edge, operations=operations)
    _warn(storage, deployment)


def _resources(
    deployment: Deployment, storage: StorageStack, records: RecordsStack, index: IndexStack, access: AccessStack
) -> Resources:
    return Resources(
        archive=deployment.name,
        dicomweb_root=deployment.dicomweb_root,
        landing_bucket=storage.landing.bucket.bucket_name,
        landing_queue_name=deployment.landing_queue_name,
        static_bucket=storage.static_bucket.bucket_name,
        records_table=records.records_table.table_name,
        rejections_table=records.rejections_table.table_name,
        database_secret=index.app_secret.secret_arn,
        database_master_secret=index.master_secret.secret_arn,
        search_role_arn=access.search_role.role_arn,
        convert_role_arn=access.convert_role.role_arn,
        migrate_role_arn=access.migrate_role.role_arn,
        subnet_ids=index.vpc.select_subnets(subnet_group_name=ISOLATED.subnet_group_name).subnet_ids,
        security_group_id=index.function_security_group.security_group_id,
        database_tls=deployment.database_tls,
        database_ca_file=deployment.database_ca_file,
    )


def _warn(scope: Construct, deployment: Deployment) -> None:
    """Say what works, and might not be what was wanted."""
    annotations = Annotations.of(scope)
    if deployment.dicomweb_root.startswith("/"):
        annotations.add_warning_v2(
            "static-dicomweb:root",
            "The DICOMweb root is a path, since no viewer_fqdn is configured: clients written in Python cannot follow "
            "the BulkDataURIs of stored metadata. It must not be changed once there are images.",
        )
    if deployment.database_tls != "verified":
        annotations.add_warning_v2(
            "static-dicomweb:database-tls",
            "database_tls: connections to the database are encrypted, but nobody checks who answers.",
        )
