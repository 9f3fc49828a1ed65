"""The viewer: OHIF's files and their configuration in a private bucket that only CloudFront reads."""

from itertools import pairwise
from pathlib import Path
from typing import Any

from aws_cdk import Duration, Size
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as s3_deployment
from constructs import Construct

from cdk.archive.storage import StorageStack
from cdk.configuration.deployment import Deployment
from cdk.configuration.file import ConfigurationError
from cdk.parts.archive_stack import ArchiveStack
from cdk.parts.log_group import log_group
from cdk.parts.private_bucket import private_bucket
from cdk.parts.service_access import let_distributions_read
from edge.viewer_files import ViewerFilesError, app_config, viewer_files

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
            # Retained, too: all of it can be made again, but CloudFormation deletes no bucket that holds something.
            **private_bucket(key, log_bucket, "viewer/"),  # type: ignore[arg-type]
            lifecycle_rules=[s3.LifecycleRule(noncurrent_version_expiration=Duration.days(30))],
        )
        let_distributions_read(self.bucket)
        log = log_group(self, "Log", deployment, name=f"/{deployment.name}/viewer-deployment", key=key)
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
                log_group=log,
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
