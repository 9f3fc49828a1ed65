"""A log group of the archive: encrypted, with the configured retention, deleted with its stack."""

from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk.configuration.deployment import Deployment


def log_group(scope: Construct, id_: str, deployment: Deployment, *, name: str, key: kms.IKey) -> logs.LogGroup:
    """Create a log group.

    Parameters
    ----------
    name
        The literal name. The group is deleted with its stack: a name that remained would make the next deployment fail.
    key
        Encrypts the group. Its policy must allow CloudWatch Logs of the stack's region to use it.
    """
    group = logs.LogGroup(scope, id_, log_group_name=name, encryption_key=key, removal_policy=RemovalPolicy.DESTROY)
    # The construct's property is an enumeration of periods; the resource below it takes a number of days.
    cast(logs.CfnLogGroup, group.node.default_child).retention_in_days = deployment.log_retention_days
    return group
