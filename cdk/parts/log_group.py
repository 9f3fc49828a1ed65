"""A log group of the archive: encrypted, kept as long as is configured, and gone with its stack."""

from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk.configuration.deployment import Deployment


def log_group(scope: Construct, id_: str, deployment: Deployment, *, name: str, key: kms.IKey) -> logs.LogGroup:
    """Make a log group.

    Parameters
    ----------
    name
        Its literal name. It does not stay when its stack goes, or that could not be deployed again.
    key
        Its policy must let CloudWatch Logs of the stack's region use it.
    """
    group = logs.LogGroup(scope, id_, log_group_name=name, encryption_key=key, removal_policy=RemovalPolicy.DESTROY)
    # The construct accepts names of periods only, as one enumeration; the resource accepts the configured days.
    cast(logs.CfnLogGroup, group.node.default_child).retention_in_days = deployment.log_retention_days
    return group
