"""Statements that let AWS's own services use a key or read a bucket on behalf of this account, and of no other."""

from collections.abc import Sequence

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

Conditions = dict[str, dict[str, str]]


def of_this_account(account: str = Aws.ACCOUNT_ID) -> Conditions:
    """Condition: the service acts for a resource of this account."""
    return {"StringEquals": {"aws:SourceAccount": account}}


def of_distributions() -> Conditions:
    """Condition: the request comes from a CloudFront distribution of this account.

    It names the distributions' ARNs only, which contain the account. CloudFront's guide promises no other key of its
    requests, and a condition on a key that is missing (aws:SourceAccount) would refuse them all.
    """
    return {"ArnLike": {"aws:SourceArn": f"arn:{Aws.PARTITION}:cloudfront::{Aws.ACCOUNT_ID}:distribution/*"}}


def let_distributions_read(bucket: s3.Bucket) -> None:
    """Let all CloudFront distributions of this account read the bucket's objects."""
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal("cloudfront.amazonaws.com")],
            actions=["s3:GetObject"],
            resources=[bucket.arn_for_objects("*")],
            conditions=of_distributions(),
        )
    )


def let_service_use_key(key: kms.Key, service: str, actions: Sequence[str], conditions: Conditions) -> None:
    """Add a statement for a service to the key's policy."""
    key.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal(service)],
            actions=list(actions),
            resources=["*"],  # in a key's policy: this key
            conditions=conditions,
        )
    )


def let_logs_use_key(key: kms.Key, *, region: str, log_groups_arn: str) -> None:
    """Let CloudWatch Logs of a region encrypt the log groups that match an ARN."""
    let_service_use_key(
        key,
        f"logs.{region}.amazonaws.com",
        ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"),
        {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": log_groups_arn}},
    )


def let_alarms_use_key(key: kms.Key, account: str = Aws.ACCOUNT_ID) -> None:
    """Let CloudWatch send alarms to topics that the key encrypts."""
    let_service_use_key(
        key, "cloudwatch.amazonaws.com", ("kms:Decrypt", "kms:GenerateDataKey*"), of_this_account(account)
    )
