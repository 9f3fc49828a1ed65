"""The CDK application: reads the configuration, makes the stacks, checks them with cdk-nag."""

import os
import sys
from pathlib import Path
from typing import Any

from aws_cdk import App

from cdk.compliance.nag import check
from cdk.configuration.file import DEFAULT_FILE, ConfigurationError, read_deployment
from cdk.stacks import build

# Not in cdk.json: the templates are the same without the command line.
_FEATURE_FLAGS: dict[str, Any] = {
    "@aws-cdk/aws-cloudfront:defaultSecurityPolicyTLSv1.2_2021": True,
    "@aws-cdk/aws-ecs:removeDefaultDeploymentAlarm": True,
    "@aws-cdk/aws-elasticloadbalancingv2:networkLoadBalancerWithSecurityGroupByDefault": True,
    "@aws-cdk/aws-iam:minimizePolicies": True,
    "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True,
    "@aws-cdk/core:checkSecretUsage": True,
    # What another stack uses cannot be taken away under it.
    "@aws-cdk/core:defaultCrossStackReferences": "strong",
    "@aws-cdk/core:enablePartitionLiterals": True,
    "@aws-cdk/core:target-partitions": ["aws"],
}


def main(*, suppressed: bool = True) -> int:
    """Write the templates to where the command line wants them; returns the process's status.

    Parameters
    ----------
    suppressed
        Whether cdk-nag is told of what is accepted; a test wants to see that all of it is still found.
    """
    app = App(context=_FEATURE_FLAGS)
    place = os.environ.get("DEPLOYMENT") or app.node.try_get_context("deployment")
    viewer = os.environ.get("VIEWER_DIRECTORY")
    try:
        deployment = read_deployment(Path(place) if place else DEFAULT_FILE)
        build(app, deployment, Path(viewer) if viewer else None)
    except ConfigurationError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command-line tool
        return 1
    check(app, deployment, suppressed=suppressed)
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
