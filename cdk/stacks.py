"""Creates the stacks of one archive and connects them; no other module knows which stack depends on which."""

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
    """Create all stacks of an archive.

    Parameters
    ----------
    viewer_directory
        OHIF's built files; without it they are fetched from npm.

    Raises
    ------
    ConfigurationError
        If a value is needed that is neither configured nor known, or the viewer's files cannot be fetched.
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
        # CloudFront and its firewall publish their metrics in that region only, so their alarms must be there.
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
    """Warn of settings that work but may not be what the administrator wants."""
    annotations = Annotations.of(scope)
    if deployment.dicomweb_root.startswith("/"):
        annotations.add_warning_v2(
            "static-dicomweb:root",
            "The DICOMweb root is a path, because viewer_fqdn is not configured. Clients written in Python cannot "
            "follow the BulkDataURIs in stored metadata. Do not change the root once the archive holds images.",
        )
    if deployment.database_tls != "verified":
        annotations.add_warning_v2(
            "static-dicomweb:database-tls",
            "database_tls: connections to the database are encrypted, but the server's certificate is not checked.",
        )
