"""Creates the archive's AWS resources one by one: buckets, queues, tables, the database's secret; may be repeated."""

import json
import secrets
from typing import Any

from botocore.exceptions import ClientError

from cdk.configuration.limits import QUEUE_RETENTION_DAYS
from localstack.configuration import HOST, Configuration
from localstack.errors import HarnessError
from localstack.parts.aws import EmulatedAws
from localstack.parts.mariadb import Database

_RETENTION_SECONDS = QUEUE_RETENTION_DAYS * 24 * 3600


def ensure_database_secret(aws: EmulatedAws, configuration: Configuration, port: int) -> Database:
    """Return the database's address and account, and write them to its secret; the first call chooses the password."""
    client = aws.client("secretsmanager")
    name = configuration.database_secret
    try:
        password = json.loads(client.get_secret_value(SecretId=name)["SecretString"])["password"]
        exists = True
    except client.exceptions.ResourceNotFoundException:
        # Letters, digits, "-" and "_" only: it is also written into SQL.
        password = secrets.token_urlsafe(24)
        exists = False
    database = Database(
        port=port,
        name=configuration.database_name,
        user=configuration.database_user,
        password=password,
        # In Docker the functions are containers on the same network as MySQL.
        function_host="mysql" if aws.localstack else HOST,
        function_port=3306 if aws.localstack else port,
    )
    secret = json.dumps(
        {
            "engine": "mysql",
            "host": database.function_host,
            "port": database.function_port,
            "username": database.user,
            "password": database.password,
            "dbname": database.name,
        }
    )
    if exists:
        client.put_secret_value(SecretId=name, SecretString=secret)
    else:
        client.create_secret(Name=name, SecretString=secret)
    return database


def provision(aws: EmulatedAws, configuration: Configuration) -> None:
    """Create buckets, queues and tables, and connect the landing bucket to its queue.

    Raises
    ------
    HarnessError
        The tables of an earlier start are gone: the index would find studies whose records are lost.
    """
    dynamodb = aws.client("dynamodb")
    provisioned = configuration.layout.data / "provisioned"
    if provisioned.exists() and not aws.localstack and not dynamodb.list_tables()["TableNames"]:
        raise HarnessError(
            f"the archive's tables are not in region {configuration.region}: either AWS_REGION was another one at the "
            "first start, or the emulator lost them, because it was killed or the machine went down (it saves them "
            f"when it is stopped). `{configuration.make_command('clean')}` removes this archive"
        )
    s3 = aws.client("s3")
    for bucket in (configuration.landing_bucket, configuration.static_bucket):
        _ensure_bucket(s3, bucket, configuration.region)
    s3.put_bucket_versioning(Bucket=configuration.landing_bucket, VersioningConfiguration={"Status": "Enabled"})
    _ensure_table(dynamodb, configuration.records_table, "study_instance_uid", "entity")
    _ensure_table(dynamodb, configuration.rejections_table, "object", "version_id")
    queue_arn = _ensure_queues(aws.client("sqs"), configuration)
    _ensure_notification(s3, configuration.landing_bucket, queue_arn)
    provisioned.touch()


def _ensure_bucket(s3: Any, bucket: str, region: str) -> None:
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        # S3 refuses us-east-1 as a LocationConstraint: it is the default.
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=bucket, **place)


def _ensure_notification(s3: Any, bucket: str, queue_arn: str) -> None:
    # Written only once: S3 sends a test message whenever the configuration is written.
    present = s3.get_bucket_notification_configuration(Bucket=bucket).get("QueueConfigurations", [])
    if any(queue["QueueArn"] == queue_arn for queue in present):
        return
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": queue_arn, "Events": ["s3:ObjectCreated:*"]}]},
    )


def _ensure_table(dynamodb: Any, table: str, partition_key: str, sort_key: str) -> None:
    try:
        dynamodb.describe_table(TableName=table)
        return
    except dynamodb.exceptions.ResourceNotFoundException:
        dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": partition_key, "AttributeType": "S"},
                {"AttributeName": sort_key, "AttributeType": "S"},
            ],
            KeySchema=[
                {"AttributeName": partition_key, "KeyType": "HASH"},
                {"AttributeName": sort_key, "KeyType": "RANGE"},
            ],
        )
    dynamodb.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})


def _ensure_queues(sqs: Any, configuration: Configuration) -> str:
    name = configuration.landing_queue
    dead_letter_arn = _ensure_queue(sqs, f"{name}-dead-letter", {"MessageRetentionPeriod": str(_RETENTION_SECONDS)})
    return _ensure_queue(
        sqs,
        name,
        {
            "MessageRetentionPeriod": str(_RETENTION_SECONDS),
            "VisibilityTimeout": str(configuration.visibility_timeout_seconds),
            "RedrivePolicy": json.dumps(
                {
                    "deadLetterTargetArn": dead_letter_arn,
                    "maxReceiveCount": configuration.max_receive_count,
                }
            ),
        },
    )


def _ensure_queue(sqs: Any, name: str, attributes: dict[str, str]) -> str:
    """Create a queue, or update an existing one; returns its ARN."""
    try:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist:
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    arn: str = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return arn
