"""What each function may do: one role each, with the calls that its code makes and no others."""

from collections.abc import Sequence

from aws_cdk import Aws, CfnOutput
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from cdk.archive.index import IndexStack
from cdk.archive.records import RecordsStack
from cdk.archive.storage import StorageStack
from cdk.configuration.deployment import Deployment
from cdk.parts.archive_stack import ArchiveStack

APP_NAME = "static-dicomweb"
"""The Chalice application's name; `chalice deploy` begins its functions' names with it."""

FUNCTIONS = {"api": "APIHandler", "convert": "Convert", "migrate": "Migrate"}
"""Our name of each function, and Chalice's name of its resource."""

WRITE_WITH_KEY = ("kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo")
"""What S3 and DynamoDB do with the key in a writer's name."""


def function_log_group(deployment: Deployment, name: str) -> str:
    """Name of the log group that the application's stack makes for a function."""
    return f"/aws/lambda/{deployment.name}-{name}"


class FunctionRole(iam.Role):
    """What any function in the network needs: an interface there, its log and its traces."""

    def __init__(self, scope: Construct, id_: str, *, deployment: Deployment) -> None:
        super().__init__(scope, id_, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self._policy = iam.ManagedPolicy(self, "Policy", description=f"Function of {deployment.name}", roles=[self])
        self.allow(
            # Lambda makes and removes the interfaces; none of these calls can be limited to a resource before it is.
            ["*"],
            "ec2:AssignPrivateIpAddresses",
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:UnassignPrivateIpAddresses",
        )
        self.allow(["*"], "xray:PutTelemetryRecords", "xray:PutTraceSegments")
        names = dict.fromkeys((deployment.name, APP_NAME))
        groups = f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:"
        self.allow([f"{groups}/aws/lambda/{name}-*" for name in names], "logs:CreateLogStream", "logs:PutLogEvents")
        self.allow([f"{groups}/aws/lambda/{APP_NAME}-*"], "logs:CreateLogGroup")
        # The last lines of a function come when its stack and its group are gone, and would make the group again: then
        # the next deployment failed, since the group exists. Denied by name, as an archive may be called APP_NAME.
        self._policy.add_statements(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                actions=["logs:CreateLogGroup"],
                resources=[f"{groups}{function_log_group(deployment, name)}*" for name in FUNCTIONS],
            )
        )

    def allow(self, resources: Sequence[str], *actions: str) -> None:
        """Add a statement."""
        self._policy.add_statements(iam.PolicyStatement(actions=list(actions), resources=list(resources)))

    def read_objects(self, bucket: s3.IBucket) -> None:
        """Objects and their versions; listing makes S3 answer 404, and not 403, for what is missing."""
        self.allow([bucket.arn_for_objects("*")], "s3:GetObject", "s3:GetObjectVersion")
        self.allow([bucket.bucket_arn], "s3:ListBucket")

    def write_objects(self, bucket: s3.IBucket) -> None:
        """Objects, whole or in parts; none can be deleted."""
        self.allow([bucket.arn_for_objects("*")], "s3:PutObject", "s3:AbortMultipartUpload")

    def read_secret(self, secret: secretsmanager.ISecret) -> None:
        """Its value; the secret's own grant would name this role in the key's policy, in an earlier stack."""
        self.allow([secret.secret_arn], "secretsmanager:GetSecretValue")

    def use_key(self, key: kms.IKey, *actions: str) -> None:
        """To read what it encrypts, and what else is named."""
        self.allow([key.key_arn], "kms:Decrypt", "kms:DescribeKey", *actions)


class AccessStack(ArchiveStack):
    """Roles of the functions, for the CDK application and for `chalice deploy` alike."""

    def __init__(
        self,
        scope: Construct,
        deployment: Deployment,
        *,
        storage: StorageStack,
        records: RecordsStack,
        index: IndexStack,
    ) -> None:
        super().__init__(scope, "access", deployment)
        self.search_role = FunctionRole(self, "Search", deployment=deployment)
        self.convert_role = FunctionRole(self, "Convert", deployment=deployment)
        self.migrate_role = FunctionRole(self, "Migrate", deployment=deployment)
        records_table = records.records_table.table_arn
        for role in (self.search_role, self.convert_role):
            role.read_objects(storage.landing.bucket)
            role.read_objects(storage.static_bucket)
            role.write_objects(storage.static_bucket)
            role.use_key(storage.data_key, *WRITE_WITH_KEY)
            role.allow([records_table], "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query")
        self.convert_role.allow([records_table], "dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
        self.convert_role.allow([records.rejections_table.table_arn], "dynamodb:PutItem")
        self.convert_role.allow(
            [storage.landing.queue.queue_arn],
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:GetQueueUrl",
            "sqs:ReceiveMessage",
        )
        self.migrate_role.read_secret(index.master_secret)
        for role in (self.search_role, self.convert_role, self.migrate_role):
            role.read_secret(index.app_secret)
        self.migrate_role.use_key(storage.data_key)
        CfnOutput(self, "SearchRoleArn", value=self.search_role.role_arn)
        CfnOutput(self, "ConvertRoleArn", value=self.convert_role.role_arn)
        CfnOutput(self, "MigrateRoleArn", value=self.migrate_role.role_arn)
