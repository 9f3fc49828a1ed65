"""The base class of all stacks of an archive: name, account and region, tags and protection."""

from aws_cdk import Environment, Stack
from constructs import Construct

from cdk.configuration.deployment import CERTIFICATE_REGION, Deployment


class ArchiveStack(Stack):
    """One part of an archive, which can be deployed and updated separately.

    Parameters
    ----------
    part
        Name of the part. The stack's name in CloudFormation is the archive's name, a hyphen and this.
    stateful
        Whether the stack holds data that cannot be restored from other parts. Such a stack is protected from deletion
        unless the configuration says otherwise.
    region
        Region of the stack; the archive's region by default.
    """

    def __init__(
        self, scope: Construct, part: str, deployment: Deployment, *, stateful: bool = False, region: str | None = None
    ) -> None:
        super().__init__(
            scope,
            f"{deployment.name}-{part}",
            env=Environment(account=deployment.account, region=region or deployment.region),
            description=f"Static DICOMweb archive {deployment.name}: {part}",
            # CloudFormation adds them to every resource that supports tags, including those that a macro creates.
            tags=dict(deployment.tags),
            termination_protection=stateful and deployment.deletion_protection,
            cross_region_references=deployment.region != CERTIFICATE_REGION,
            analytics_reporting=False,
        )
        self.deployment = deployment
