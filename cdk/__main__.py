"""The CDK application: reads the configuration, creates the stacks and checks them with cdk-nag."""

import os
import sys
from pathlib import Path
from typing import Any

from aws_cdk import App

from cdk.compliance.nag import check
from cdk.configuration.file import DEFAULT_FILE, ConfigurationError, read_deployment
from cdk.stacks import build

# Here and not in cdk.json, which only the CDK command line reads: the templates are the same without it.
_FEATURE_FLAGS: dict[str, Any] = {
    "@aws-cdk/aws-cloudfront:defaultSecurityPolicyTLSv1.2_2021": True,
    "@aws-cdk/aws-ecs:removeDefaultDeploymentAlarm": True,
    "@aws-cdk/aws-elasticloadbalancingv2:networkLoadBalancerWithSecurityGroupByDefault": True,
    "@aws-cdk/aws-iam:minimizePolicies": True,
    "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True,
    "@aws-cdk/core:checkSecretUsage": True,
    # An output cannot be removed while another stack uses it.
    "@aws-cdk/core:defaultCrossStackReferences": "strong",
    "@aws-cdk/core:enablePartitionLiterals": True,
    "@aws-cdk/core:target-partitions": ["aws"],
}


def main(*, suppressed: bool = True) -> int:
    """Write the templates to the directory that the CDK command line names; return the process's exit status.

    Parameters
    ----------
    suppressed
        Whether cdk-nag leaves out the accepted findings. A test turns this off, to see that each is still found.
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
