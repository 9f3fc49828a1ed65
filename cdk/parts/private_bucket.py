"""The properties that all buckets of an archive share, except the log bucket."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3


def private_bucket(key: kms.IKey, log_bucket: s3.IBucket, log_prefix: str) -> dict[str, object]:
    """Keyword arguments of ``s3.Bucket``: private, versioned, encrypted with the key, kept when its stack is deleted.

    Parameters
    ----------
    log_bucket, log_prefix
        Where S3 writes the log of accesses to the bucket.
    """
    return {
        "block_public_access": s3.BlockPublicAccess.BLOCK_ALL,
        "bucket_key_enabled": True,
        "encryption": s3.BucketEncryption.KMS,
        "encryption_key": key,
        "enforce_ssl": True,
        "minimum_tls_version": 1.2,
        "object_ownership": s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        "removal_policy": RemovalPolicy.RETAIN,
        "server_access_logs_bucket": log_bucket,
        "server_access_logs_prefix": log_prefix,
        "versioned": True,
    }
