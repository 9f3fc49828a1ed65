"""The bucket for logs that AWS services deliver: access to objects, traffic of the network, requests to the edge."""

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.parts.service_access import of_this_account

FLOW_LOGS = "vpc-flows/"
"""Key prefix of the network's flow logs."""


def log_bucket(scope: Construct, retention: Duration) -> s3.Bucket:
    """Create the bucket.

    Parameters
    ----------
    retention
        How long a log file is kept.
    """
    bucket = s3.Bucket(
        scope,
        "Logs",
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        encryption=s3.BucketEncryption.S3_MANAGED,  # S3 delivers its access logs to no bucket with a KMS key
        enforce_ssl=True,
        minimum_tls_version=1.2,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        removal_policy=RemovalPolicy.RETAIN,
        versioned=True,
        lifecycle_rules=[
            s3.LifecycleRule(
                id="retention",
                expiration=retention,
                noncurrent_version_expiration=Duration.days(1),
                abort_incomplete_multipart_upload_after=Duration.days(7),
            )
        ],
    )
    # Without these statements AWS adds them when it creates the flow log, and the next deployment removes them.
    delivery = iam.ServicePrincipal("delivery.logs.amazonaws.com")
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[delivery],
            actions=["s3:PutObject"],
            resources=[bucket.arn_for_objects(f"{FLOW_LOGS}AWSLogs/{Aws.ACCOUNT_ID}/*")],
            conditions=of_this_account(),
        )
    )
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[delivery],
            actions=["s3:GetBucketAcl"],
            resources=[bucket.bucket_arn],
            conditions=of_this_account(),
        )
    )
    return bucket
