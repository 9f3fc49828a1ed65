"""Checks all stacks with cdk-nag, except for the accepted findings."""

from aws_cdk import Acknowledgment, App, Stack, Validations
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks
from constructs import Construct

from cdk.compliance.suppressions import SUPPRESSIONS, UNPROTECTED, Suppression
from cdk.configuration.deployment import Deployment


def check(app: App, deployment: Deployment, *, suppressed: bool) -> None:
    """Check the stacks when they are synthesised. A finding that is not accepted fails the synthesis.

    Parameters
    ----------
    suppressed
        Whether the accepted findings are left out.
    """
    if suppressed:
        for suppression in (*SUPPRESSIONS, *(() if deployment.deletion_protection else UNPROTECTED)):
            _acknowledge(app, deployment.name, suppression)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), HIPAASecurityChecks(app))


def _acknowledge(app: App, archive: str, suppression: Suppression) -> None:
    part, *path = suppression.path.split("/")
    construct: Construct = app.node.find_child(f"{archive}-{part}")  # type: ignore[assignment]
    stack = Stack.of(construct)
    rule = suppression.rule.format(name=archive, account=stack.account, region=stack.region)
    for step in path:
        construct = construct.node.find_child(step)  # type: ignore[assignment]
    Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=suppression.reason))
