"""The DynamoDB tables: the records of instances, and the rejections."""

from aws_cdk import CfnOutput, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk.configuration.deployment import Deployment
from cdk.parts.archive_stack import ArchiveStack


def _table(
    scope: Construct, id_: str, *, partition_key: str, sort_key: str, key: kms.IKey, deletion_protection: bool
) -> dynamodb.Table:
    return dynamodb.Table(
        scope,
        id_,
        partition_key=dynamodb.Attribute(name=partition_key, type=dynamodb.AttributeType.STRING),
        sort_key=dynamodb.Attribute(name=sort_key, type=dynamodb.AttributeType.STRING),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
        encryption_key=key,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        deletion_protection=deletion_protection,
        removal_policy=RemovalPolicy.RETAIN,
    )


class RecordsStack(ArchiveStack):
    """Tables on demand, with point-in-time recovery; the keys are those that chalicelib.adapters.aws.dynamodb names."""

    def __init__(self, scope: Construct, deployment: Deployment, *, data_key: kms.IKey) -> None:
        super().__init__(scope, "records", deployment, stateful=True)
        protected = deployment.deletion_protection
        self.records_table = _table(
            self,
            "Records",
            partition_key="study_instance_uid",
            sort_key="entity",
            key=data_key,
            deletion_protection=protected,
        )
        self.rejections_table = _table(
            self,
            "Rejections",
            partition_key="object",
            sort_key="version_id",
            key=data_key,
            deletion_protection=protected,
        )
        CfnOutput(self, "RecordsTableName", value=self.records_table.table_name)
        CfnOutput(self, "RejectionsTableName", value=self.rejections_table.table_name)
