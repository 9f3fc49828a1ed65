"""The data key, the buckets of received files and static objects, and the queue of newly received files."""

from typing import cast

from aws_cdk import Aws, CfnOutput, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk.archive.log_bucket import log_bucket
from cdk.configuration.deployment import Deployment
from cdk.configuration.limits import CONVERT_ATTEMPTS, QUEUE_RETENTION_DAYS, QUEUE_VISIBILITY_TIMEOUT_SECONDS
from cdk.parts.archive_stack import ArchiveStack
from cdk.parts.private_bucket import private_bucket
from cdk.parts.service_access import (
    let_alarms_use_key,
    let_distributions_read,
    let_logs_use_key,
    let_service_use_key,
    of_distributions,
    of_this_account,
)


class DataKey(kms.Key):
    """The key that encrypts everything that holds, or may hold, data of patients."""

    def __init__(self, scope: Construct, id_: str, *, alias: str) -> None:
        super().__init__(
            scope,
            id_,
            alias=alias,
            description="Images, records, index and logs of the archive",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        let_logs_use_key(
            self,
            region=Aws.REGION,
            log_groups_arn=f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:*",
        )
        # CloudFront reads static objects. Its distribution is created later, in another stack.
        let_service_use_key(self, "cloudfront.amazonaws.com", ("kms:Decrypt",), of_distributions())
        let_alarms_use_key(self)


class LandingZone(Construct):
    """The bucket that receives files, the queue of its new objects, and the dead-letter queue."""

    def __init__(
        self, scope: Construct, id_: str, *, deployment: Deployment, key: kms.IKey, log_bucket: s3.IBucket
    ) -> None:
        super().__init__(scope, id_)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            **private_bucket(key, log_bucket, "landing/"),  # type: ignore[arg-type]
            # The API answers a request for a whole instance in a single part with a redirection to its landing object.
            cors=[
                s3.CorsRule(
                    allowed_methods=[s3.HttpMethods.GET, s3.HttpMethods.HEAD], allowed_origins=["*"], max_age=86_400
                )
            ],
            lifecycle_rules=_landing_lifecycle(deployment.landing_cold_after_days),
        )
        self.dead_letter_queue = sqs.Queue(
            self,
            "DeadLetterQueue",
            queue_name=f"{deployment.landing_queue_name}-dead-letter",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(QUEUE_RETENTION_DAYS),
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=deployment.landing_queue_name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(QUEUE_RETENTION_DAYS),
            visibility_timeout=Duration.seconds(QUEUE_VISIBILITY_TIMEOUT_SECONDS),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letter_queue, max_receive_count=CONVERT_ATTEMPTS),
        )
        self._notify()

    def _notify(self) -> None:
        """Send an event for each new object to the queue.

        The bucket's own property does this; the construct's method would add a function that sets the property.
        """
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("s3.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                # Not limited to the bucket: the policy must exist before it, because S3 checks it on creation.
                conditions=of_this_account(),
            )
        )
        bucket = cast(s3.CfnBucket, self.bucket.node.default_child)
        bucket.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[
                s3.CfnBucket.QueueConfigurationProperty(event="s3:ObjectCreated:*", queue=self.queue.queue_arn)
            ]
        )
        self.bucket.node.add_dependency(self.queue.node.find_child("Policy"))


def _landing_lifecycle(cold_after_days: int | None) -> list[s3.LifecycleRule]:
    # Noncurrent versions are kept: a second write to a key may replace the only copy of an image.
    rules = [s3.LifecycleRule(id="abandoned-uploads", abort_incomplete_multipart_upload_after=Duration.days(7))]
    if cold_after_days is not None:
        after = Duration.days(cold_after_days)
        rules.append(
            s3.LifecycleRule(
                id="cold",
                transitions=[
                    s3.Transition(storage_class=s3.StorageClass.GLACIER_INSTANT_RETRIEVAL, transition_after=after)
                ],
                noncurrent_version_transitions=[
                    s3.NoncurrentVersionTransition(
                        storage_class=s3.StorageClass.GLACIER_INSTANT_RETRIEVAL, transition_after=after
                    )
                ],
            )
        )
    return rules


class StaticBucket(s3.Bucket):
    """The bucket of static objects, which CloudFront reads."""

    def __init__(
        self, scope: Construct, id_: str, *, deployment: Deployment, key: kms.IKey, log_bucket: s3.IBucket
    ) -> None:
        super().__init__(
            scope,
            id_,
            **private_bucket(key, log_bucket, "static/"),  # type: ignore[arg-type]
            lifecycle_rules=_static_lifecycle(deployment.static_intelligent_tiering_after_days),
        )
        let_distributions_read(self)


def _static_lifecycle(tiering_after_days: int | None) -> list[s3.LifecycleRule]:
    rules = [
        s3.LifecycleRule(
            id="superseded",
            abort_incomplete_multipart_upload_after=Duration.days(7),
            # Each publication writes the aggregates again, and they can be restored from the records.
            noncurrent_version_expiration=Duration.days(30),
        )
    ]
    if tiering_after_days is not None:
        # S3 does not move objects under 128 KiB, for which the class would only cost more.
        rules.append(
            s3.LifecycleRule(
                id="intelligent-tiering",
                transitions=[
                    s3.Transition(
                        storage_class=s3.StorageClass.INTELLIGENT_TIERING,
                        transition_after=Duration.days(tiering_after_days),
                    )
                ],
            )
        )
    return rules


class StorageStack(ArchiveStack):
    """The data key, the buckets and the queues."""

    def __init__(self, scope: Construct, deployment: Deployment) -> None:
        super().__init__(scope, "storage", deployment, stateful=True)
        self.data_key = DataKey(self, "DataKey", alias=f"{deployment.name}-data")
        self.log_bucket = log_bucket(self, Duration.days(deployment.log_retention_days))
        self.landing = LandingZone(
            self, "Landing", deployment=deployment, key=self.data_key, log_bucket=self.log_bucket
        )
        self.static_bucket = StaticBucket(
            self, "Static", deployment=deployment, key=self.data_key, log_bucket=self.log_bucket
        )
        CfnOutput(self, "LandingBucketName", value=self.landing.bucket.bucket_name)
        CfnOutput(self, "StaticBucketName", value=self.static_bucket.bucket_name)
        CfnOutput(self, "LandingQueueName", value=deployment.landing_queue_name)
        CfnOutput(self, "LandingQueueArn", value=self.landing.queue.queue_arn)
        CfnOutput(self, "LandingQueueUrl", value=self.landing.queue.queue_url)
        CfnOutput(self, "DeadLetterQueueUrl", value=self.landing.dead_letter_queue.queue_url)
