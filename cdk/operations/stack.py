"""Operations: the alarms and their topic, the dashboard, and CloudFront's access logs."""

from aws_cdk import Aws, CfnOutput, Fn
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from cdk.application.stack import ApplicationStack
from cdk.archive.index import IndexStack
from cdk.archive.storage import StorageStack
from cdk.configuration.deployment import CERTIFICATE_REGION, Deployment
from cdk.front.distribution import EdgeStack
from cdk.front.firewall import FirewallStack
from cdk.operations.alarms import api_alarms, edge_alarms, index_alarms, ingest_alarms, store_alarms
from cdk.operations.dashboard import make_dashboard
from cdk.operations.metrics import Watched
from cdk.operations.watch import make_alarms
from cdk.parts.archive_stack import ArchiveStack
from cdk.parts.service_access import of_this_account
from cdk.store.stack import StoreStack

# Without query, referrer and cookies, which contain names and UIDs of patients.
LOGGED_FIELDS = (
    "date",
    "time",
    "x-edge-location",
    "x-edge-request-id",
    "c-ip",
    "cs-method",
    "cs(Host)",
    "cs-uri-stem",
    "cs-protocol",
    "cs-protocol-version",
    "cs-bytes",
    "cs(User-Agent)",
    "sc-status",
    "sc-bytes",
    "sc-content-type",
    "ssl-protocol",
    "ssl-cipher",
    "time-taken",
    "time-to-first-byte",
    "x-edge-result-type",
    "x-edge-detailed-result-type",
)


class AlarmTopic(Construct):
    """The topic that alarms notify: encrypted, over TLS only, with the configured e-mail address as its subscriber."""

    def __init__(self, scope: Construct, identifier: str, deployment: Deployment, *, key: kms.IKey) -> None:
        super().__init__(scope, identifier)
        self.topic = sns.Topic(
            self, "Topic", display_name=f"Archive {deployment.name}", master_key=key, enforce_ssl=True
        )
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions=of_this_account(),
            )
        )
        if deployment.alarm_email:
            self.topic.add_subscription(subscriptions.EmailSubscription(deployment.alarm_email))


class EdgeLogs(Construct):
    """Delivers CloudFront's access logs, with selected fields, to the log bucket. Must be in us-east-1."""

    def __init__(
        self, scope: Construct, identifier: str, deployment: Deployment, *, distribution_arn: str, bucket: s3.IBucket
    ) -> None:
        super().__init__(scope, identifier)
        name = f"{deployment.name}-edge"
        source = logs.CfnDeliverySource(
            self, "Source", name=name, resource_arn=distribution_arn, log_type="ACCESS_LOGS"
        )
        destination = logs.CfnDeliveryDestination(
            self, "Destination", name=name, destination_resource_arn=bucket.bucket_arn, output_format="json"
        )
        delivery = logs.CfnDelivery(
            self,
            "Delivery",
            delivery_source_name=name,
            delivery_destination_arn=destination.attr_arn,
            record_fields=list(LOGGED_FIELDS),
            s3_suffix_path="{DistributionId}/{yyyy}/{MM}/{dd}",
        )
        delivery.add_resource_dependency(source)


class EdgeOperations(Construct):
    """CloudFront's alarms and logs, which must be in us-east-1."""

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        deployment: Deployment,
        *,
        watched: Watched,
        topic: sns.ITopic,
        distribution_arn: str,
        log_bucket: s3.IBucket,
    ) -> None:
        super().__init__(scope, identifier)
        make_alarms(self, edge_alarms(watched, deployment), topic)
        EdgeLogs(self, "Logs", deployment, distribution_arn=distribution_arn, bucket=log_bucket)


def allow_log_delivery(bucket: s3.IBucket) -> None:
    """Allow CloudWatch Logs to write the access logs of this account's distributions to the bucket."""
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            sid="CloudFrontLogs",
            principals=[iam.ServicePrincipal("delivery.logs.amazonaws.com")],
            actions=["s3:PutObject"],
            resources=[bucket.arn_for_objects("*")],
            conditions={
                **of_this_account(),
                "ArnLike": {
                    "aws:SourceArn": f"arn:{Aws.PARTITION}:logs:{CERTIFICATE_REGION}:{Aws.ACCOUNT_ID}:delivery-source:*"
                },
            },
        )
    )


class OperationsStack(ArchiveStack):
    """Topic, alarms and dashboard; for an archive in us-east-1, also CloudFront's alarms and logs."""

    def __init__(
        self,
        scope: Construct,
        deployment: Deployment,
        *,
        storage: StorageStack,
        index: IndexStack,
        application: ApplicationStack,
        store: StoreStack,
        edge: EdgeStack,
    ) -> None:
        super().__init__(scope, "operations", deployment)
        self.topic = AlarmTopic(self, "Alarms", deployment, key=storage.data_key).topic
        self.watched = Watched(
            archive=deployment.name,
            functions=application.function_names,
            api_name=application.api_name,
            api_stage=application.api_stage_name,
            queue=storage.landing.queue,
            dead_letter_queue=storage.landing.dead_letter_queue,
            cluster=index.cluster.cluster_identifier,
            load_balancer=store.load_balancer,
            target_group=store.target_group,
            distribution_id=edge.distribution_id,
        )
        watches = [
            *ingest_alarms(self.watched),
            *api_alarms(self.watched),
            *store_alarms(self.watched, deployment),
            *index_alarms(self.watched, deployment),
        ]
        make_alarms(self, watches, self.topic)
        make_dashboard(self, "Dashboard", self.watched)
        allow_log_delivery(storage.log_bucket)
        if deployment.region == CERTIFICATE_REGION:
            _edge_operations(self, deployment, self.watched, self.topic, storage, edge)
        CfnOutput(self, "AlarmTopicArn", value=self.topic.topic_arn)
        CfnOutput(
            self,
            "DashboardUrl",
            value=Fn.sub(
                "https://${AWS::Region}.console.aws.amazon.com/cloudwatch/home?region=${AWS::Region}#dashboards:name="
                + deployment.name
            ),
        )


class EdgeOperationsStack(ArchiveStack):
    """CloudFront's alarms and logs, with a topic of their own, for archives in other regions than us-east-1."""

    def __init__(
        self,
        scope: Construct,
        deployment: Deployment,
        *,
        storage: StorageStack,
        firewall: FirewallStack,
        edge: EdgeStack,
        operations: OperationsStack,
    ) -> None:
        super().__init__(scope, "edge-operations", deployment, region=CERTIFICATE_REGION)
        self.topic = AlarmTopic(self, "Alarms", deployment, key=firewall.key).topic
        _edge_operations(self, deployment, operations.watched, self.topic, storage, edge)
        CfnOutput(self, "AlarmTopicArn", value=self.topic.topic_arn)


def _edge_operations(
    scope: Construct,
    deployment: Deployment,
    watched: Watched,
    topic: sns.ITopic,
    storage: StorageStack,
    edge: EdgeStack,
) -> None:
    EdgeOperations(
        scope,
        "Edge",
        deployment,
        watched=watched,
        topic=topic,
        distribution_arn=edge.distribution_arn,
        log_bucket=storage.log_bucket,
    )
