"""The viewer: OHIF's files and their configuration in a private bucket that only CloudFront reads."""

from itertools import pairwise
from pathlib import Path
from typing import Any

from aws_cdk import Duration, RemovalPolicy, Size
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as s3_deployment
from constructs import Construct

from cdk.configuration import Deployment
from cdk.configuration_file import ConfigurationError
from cdk.log_retention import retention
from cdk.stack import ArchiveStack
from cdk.storage import StorageStack, of_distributions
from cdk.viewer_files import ViewerFilesError, app_config, viewer_files

# OHIF's build puts a digest into these names, so what is behind a name never changes.
HASHED = ("*.bundle.*.js", "*.woff2")
# Browsers ask for these each time, so that a new version is seen at once.
ENTRIES = ("index.html", "app-config.js", "sw.js", "init-service-worker.js")
_WASM = "*.wasm"
# Read by Netlify, and by nobody here.
_NOT_SERVED = ("_headers", "_redirects")
IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATED = "no-cache"
# The deploying function unpacks OHIF's 166 MB beside its archive.
_MEMORY_MIB = 1024
_DISK = Size.mebibytes(1024)


class Viewer(Construct):
    """The bucket, and deployments that fill it one after the other: what is referred to before what refers to it.

    Files with a digest in their names stay when a new version comes: who has the old viewer open still loads parts of
    it. All else is replaced, and removed where the new version does not have it.

    Parameters
    ----------
    directory
        OHIF's built files.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        deployment: Deployment,
        *,
        directory: Path,
        key: kms.IKey,
        log_bucket: s3.IBucket,
    ) -> None:
        super().__init__(scope, identifier)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            server_access_logs_bucket=log_bucket,
            server_access_logs_prefix="viewer/",
            lifecycle_rules=[s3.LifecycleRule(noncurrent_version_expiration=Duration.days(30))],
            # All of it can be made again. CloudFormation does not delete a bucket that holds something, though.
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudfront.amazonaws.com")],
                actions=["s3:GetObject"],
                resources=[self.bucket.arn_for_objects("*")],
                conditions=of_distributions(),
            )
        )
        log_group = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/{deployment.name}/viewer-deployment",
            encryption_key=key,
            retention=retention(deployment),
            removal_policy=RemovalPolicy.DESTROY,
        )
        # Names without a digest: browsers revalidate, CloudFront keeps them as long as it is told.
        kept = f"public, max-age=0, s-maxage={deployment.viewer_ttl_seconds}"
        files = s3_deployment.Source.asset(str(directory))
        config = s3_deployment.Source.data("app-config.js", app_config())

        def deploy(name: str, sources: list[s3_deployment.ISource], cache_control: str, **options: Any) -> Construct:
            return s3_deployment.BucketDeployment(
                self,
                name,
                sources=sources,
                destination_bucket=self.bucket,
                cache_control=[s3_deployment.CacheControl.from_string(cache_control)],
                memory_limit=_MEMORY_MIB,
                ephemeral_storage_size=_DISK,
                log_group=log_group,
                **options,
            )

        only: dict[str, Any] = {"exclude": ["*"], "prune": False}
        steps = [
            deploy("Hashed", [files], IMMUTABLE, **only, include=list(HASHED)),
            # By its type a browser compiles it while it arrives.
            deploy("Wasm", [files], kept, **only, include=[_WASM], content_type="application/wasm"),
            deploy("Unhashed", [files], kept, exclude=[*HASHED, _WASM, *ENTRIES, *_NOT_SERVED]),
            # Our configuration comes last, so it replaces OHIF's.
            deploy("Entries", [files, config], REVALIDATED, **only, include=list(ENTRIES)),
        ]
        for earlier, later in pairwise(steps):
            later.node.add_dependency(earlier)


class ViewerStack(ArchiveStack):
    """The viewer.

    Parameters
    ----------
    viewer_directory
        OHIF's built files; fetched from npm, or from this checkout's cache, if not given.

    Raises
    ------
    ConfigurationError
        They are not given, and cannot be fetched.
    """

    def __init__(
        self,
        scope: Construct,
        deployment: Deployment,
        *,
        storage: StorageStack,
        viewer_directory: Path | None = None,
    ) -> None:
        super().__init__(scope, "viewer", deployment)
        self.bucket = Viewer(
            self,
            "Viewer",
            deployment,
            directory=viewer_directory or _fetched(),
            key=storage.data_key,
            log_bucket=storage.log_bucket,
        ).bucket


def _fetched() -> Path:
    try:
        return viewer_files()
    except ViewerFilesError as error:
        raise ConfigurationError(
            f"The viewer's files are needed: {error}. The environment variable VIEWER_DIRECTORY can name a directory "
            "that has them."
        ) from error
