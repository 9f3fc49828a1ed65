"""The viewer: OHIF's files and configuration in a private bucket that only CloudFront reads."""

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

# OHIF's build puts a digest into these names, so the file of a name never changes.
HASHED = ("*.bundle.*.js", "*.woff2")
# Browsers revalidate these each time, so that users get a new version immediately.
ENTRIES = ("index.html", "app-config.js", "sw.js", "init-service-worker.js")
_WASM = "*.wasm"
# Only used by Netlify.
_NOT_SERVED = ("_headers", "_redirects")
IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATED = "no-cache"
# The deploying function unpacks OHIF's 166 MB beside its archive.
_MEMORY_MIB = 1024
_DISK = Size.mebibytes(1024)


class Viewer(Construct):
    """The bucket, and the deployments that fill it in order: files are uploaded before those that refer to them.

    Files with a digest in their names stay when a new version is deployed, because browsers with an open viewer still
    load parts of the old version. All other files are replaced, or removed if the new version does not have them.

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
            # Retained, too: the files can be uploaded again, but CloudFormation cannot delete a bucket with objects.
            **private_bucket(key, log_bucket, "viewer/"),  # type: ignore[arg-type]
            lifecycle_rules=[s3.LifecycleRule(noncurrent_version_expiration=Duration.days(30))],
        )
        let_distributions_read(self.bucket)
        log = log_group(self, "Log", deployment, name=f"/{deployment.name}/viewer-deployment", key=key)
        # For names without a digest: browsers revalidate them, CloudFront caches them for the configured time.
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
            # With this type, a browser compiles the code while it arrives.
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
        OHIF's built files; without it they are taken from this checkout's cache, or fetched from npm.

    Raises
    ------
    ConfigurationError
        If the files are not given and cannot be fetched.
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
            f"The viewer's files are missing: {error}. Set the environment variable VIEWER_DIRECTORY to a directory "
            "that contains them."
        ) from error
