"""What all stacks of an archive have in common: their name, place, tags and protection."""

from aws_cdk import Environment, Stack
from constructs import Construct

from cdk.configuration.deployment import CERTIFICATE_REGION, Deployment


class ArchiveStack(Stack):
    """One part of an archive, deployed and updated by itself.

    Parameters
    ----------
    part
        What it is; its name in CloudFormation is the archive's name, a hyphen and this.
    stateful
        It holds what cannot be made again: protected from deletion where the configuration says so.
    region
        Where it is, if not in the archive's region.
    """

    def __init__(
        self, scope: Construct, part: str, deployment: Deployment, *, stateful: bool = False, region: str | None = None
    ) -> None:
        super().__init__(
            scope,
            f"{deployment.name}-{part}",
            env=Environment(account=deployment.account, region=region or deployment.region),
            description=f"Static DICOMweb archive {deployment.name}: {part}",
            # CloudFormation gives them to every resource that can have tags, also to those that a macro makes.
            tags=dict(deployment.tags),
            termination_protection=stateful and deployment.deletion_protection,
            cross_region_references=deployment.region != CERTIFICATE_REGION,
            analytics_reporting=False,
        )
        self.deployment = deployment
