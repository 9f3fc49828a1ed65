"""One role for each function, which allows the calls that the function's code makes and no others."""

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
"""Name of the Chalice application, with which `chalice deploy` begins the names of its functions."""

FUNCTIONS = {"api": "APIHandler", "convert": "Convert", "migrate": "Migrate"}
"""Name of each function in this project, and of its resource in Chalice's template."""

WRITE_WITH_KEY = ("kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo")
"""The calls to KMS that S3 and DynamoDB make on behalf of a role that writes."""


def function_log_group(deployment: Deployment, name: str) -> str:
    """Name of the log group that the application's stack creates for a function."""
    return f"/aws/lambda/{deployment.name}-{name}"


class FunctionRole(iam.Role):
    """A role with the rights that every function needs: its network interface, log and traces."""

    def __init__(self, scope: Construct, id_: str, *, deployment: Deployment) -> None:
        super().__init__(scope, id_, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self._policy = iam.ManagedPolicy(self, "Policy", description=f"Function of {deployment.name}", roles=[self])
        self.allow(
            # Lambda creates and removes the interfaces. The calls cannot be limited to resources that do not exist yet.
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
        # The last log lines of a function arrive after its stack and log group were deleted. They would create the
        # group again, and the next deployment would fail because it exists. Denied by name, since an archive may be
        # called APP_NAME.
        self._policy.add_statements(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                actions=["logs:CreateLogGroup"],
                resources=[f"{groups}{function_log_group(deployment, name)}*" for name in FUNCTIONS],
            )
        )

    def allow(self, resources: Sequence[str], *actions: str) -> None:
        """Allow actions on resources."""
        self._policy.add_statements(iam.PolicyStatement(actions=list(actions), resources=list(resources)))

    def read_objects(self, bucket: s3.IBucket) -> None:
        """Allow reading objects and their versions; listing makes S3 answer 404, not 403, if an object is missing."""
        self.allow([bucket.arn_for_objects("*")], "s3:GetObject", "s3:GetObjectVersion")
        self.allow([bucket.bucket_arn], "s3:ListBucket")

    def write_objects(self, bucket: s3.IBucket) -> None:
        """Allow writing objects, whole or in parts, but not deleting them."""
        self.allow([bucket.arn_for_objects("*")], "s3:PutObject", "s3:AbortMultipartUpload")

    def read_secret(self, secret: secretsmanager.ISecret) -> None:
        """Allow reading the value; the secret's own grant would change the key's policy, in an earlier stack."""
        self.allow([secret.secret_arn], "secretsmanager:GetSecretValue")

    def use_key(self, key: kms.IKey, *actions: str) -> None:
        """Allow decrypting with the key, and the given further actions."""
        self.allow([key.key_arn], "kms:Decrypt", "kms:DescribeKey", *actions)


class AccessStack(ArchiveStack):
    """Roles of the functions, used by the CDK application and by `chalice deploy`."""

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
