"""The findings of cdk-nag that are accepted, with the reasons."""

from dataclasses import dataclass

from cdk.application.access import APP_NAME


@dataclass(frozen=True, slots=True)
class Suppression:
    """One accepted finding.

    Parameters
    ----------
    rule
        The finding as cdk-nag names it, with its brackets. ``{name}`` stands for the archive's name, ``{account}`` and
        ``{region}`` for those of the stack.
    path
        Part of the archive, and path of the construct in its stack; constructs below it are included.
    reason
        Why the finding is acceptable.
    """

    rule: str
    path: str
    reason: str


_FUNCTIONS = ("access/Search", "access/Convert", "access/Migrate")
_READERS = ("access/Search", "access/Convert")
_LOG_GROUPS = "arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:/aws/lambda/"
_SERVICE_ROLE = "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"

_STORAGE = (
    *(
        Suppression(
            "HIPAA.Security-S3BucketReplicationEnabled",
            path,
            "S3 stores each object in three zones, versioning keeps overwritten objects, and no role may delete. A "
            "copy in another region doubles the price of storage; docs/operations.md says how to add one.",
        )
        for path in ("storage/Landing/Bucket", "storage/Static", "storage/Logs")
    ),
    Suppression(
        "HIPAA.Security-S3DefaultEncryptionKMS",
        "storage/Logs",
        "S3 delivers access logs only to buckets with its own keys (SSE-S3). They contain object keys with UIDs, no "
        "image.",
    ),
    *(
        Suppression(
            "HIPAA.Security-DynamoDBInBackupPlan",
            path,
            "Point-in-time recovery restores any second of the last 35 days, which the daily copy of a plan cannot. "
            "The table is protected from deletion, and can be made again from the landing bucket.",
        )
        for path in ("records/Records", "records/Rejections")
    ),
)

_INDEX = (
    Suppression(
        "HIPAA.Security-VPCDefaultSecurityGroupClosed",
        "index/Network/Vpc",
        "Nothing uses this group: each interface, function, task and instance has its own. CloudFormation cannot "
        "remove its rules, and a function with the right to change security groups would be the greater risk.",
    ),
    Suppression(
        "HIPAA.Security-VPCNoUnrestrictedRouteToIGW",
        "index/Network/Vpc",
        "The public subnets contain the load balancer only, and do not assign public addresses by default. Functions, "
        "tasks and database are in isolated subnets, whose route tables have no such route.",
    ),
    Suppression(
        _SERVICE_ROLE + "AmazonRDSEnhancedMonitoringRole]",
        "index/Index/Cluster/MonitoringRole",
        "AWS's own policy for enhanced monitoring: it allows writing to the log group RDSOSMetrics, and only RDS may "
        "assume the role.",
    ),
    Suppression(
        "AwsSolutions-RDS6",
        "index/Index/Cluster",
        "The functions log in with a password from Secrets Manager that is rotated each month. IAM tokens cost the "
        "server memory and time for each new connection, and every cold start opens one.",
    ),
    Suppression(
        "AwsSolutions-RDS11",
        "index/Index/Cluster",
        "The cluster is in isolated subnets, and its security group accepts the functions and the rotation only: "
        "another port would hide it from nobody who can reach it.",
    ),
    Suppression(
        "AwsSolutions-RDS14",
        "index/Index/Cluster",
        "Backtracking rewinds the whole cluster in place, and it would no longer match tables and buckets. The index "
        "is restored to a second cluster instead, from 35 days of continuous backup (docs/operations.md).",
    ),
    *(
        Suppression(
            f"HIPAA.Security-RDSLoggingEnabled[LogExport::{log}]",
            "index/Index/Cluster",
            "This log contains statements with their values: names and birth dates of patients that were searched for. "
            "The audit log (connections, changes of accounts and tables) and the error log are exported.",
        )
        for log in ("general", "slowquery")
    ),
    Suppression(
        "HIPAA.Security-RDSInBackupPlan",
        "index/Index/Cluster",
        "The cluster keeps its own continuous backup for 35 days, the longest period that Aurora offers, and a last "
        "snapshot when its stack is deleted.",
    ),
)

_ACCESS = (
    *(
        Suppression(
            "AwsSolutions-IAM5[Resource::*]",
            path,
            "Network interfaces (EC2) and traces (X-Ray) have no names before they are created, and AWS documents "
            "these calls with the resource *. The statements contain no call on data.",
        )
        for path in _FUNCTIONS
    ),
    *(
        Suppression(
            f"AwsSolutions-IAM5[Resource::{_LOG_GROUPS}{name}-*]",
            path,
            "The streams of the functions' own log groups. Their names begin with the archive's name if the CDK "
            "deploys them, and with the application's name if `chalice deploy` does.",
        )
        for name in ("{name}", APP_NAME)
        for path in _FUNCTIONS
    ),
    *(
        Suppression(
            f"AwsSolutions-IAM5[Resource::{{name}}-storage:ExportsOutputFnGetAtt{bucket}/*]",
            path,
            "All objects of one bucket of this archive: their keys contain UIDs, which are not known in advance.",
        )
        for bucket in ("LandingBucket6D60388FArnD709F264", "Static3DDAA197Arn56D01BE5")
        for path in _READERS
    ),
)

_APPLICATION = (
    Suppression(
        _SERVICE_ROLE + "AmazonAPIGatewayPushToCloudWatchLogs]",
        "application/ApiGatewayLogs",
        "AWS's own policy for the logs of API Gateway. The setting applies to the whole account and region, so it "
        "cannot be limited to this archive's log groups; only API Gateway may assume the role.",
    ),
)

_STORE = (
    Suppression(
        "AwsSolutions-IAM5[Resource::{name}-storage:ExportsOutputFnGetAttLandingBucket6D60388FArnD709F264/*]",
        "store/TaskPolicy",
        "The store writes new objects to the landing bucket under keys that it generates; it may neither read nor "
        "list.",
    ),
    Suppression(
        "AwsSolutions-ECS2",
        "store/Store/Task",
        "Names of buckets and tables, and limits: none is secret, and a changed value must start new tasks.",
    ),
    Suppression(
        "HIPAA.Security-IAMNoInlinePolicy",
        "store/Store/Task/ExecutionRole",
        "The CDK writes this policy for this role only: it allows pulling the image and writing to the log group.",
    ),
)

_VIEWER_DEPLOYMENT = "viewer/Custom::CDKBucketDeployment8693BB64968944B69AAFB0CC9EB8756C1024MiB1024MiB"
_VIEWER = (
    Suppression(
        "HIPAA.Security-S3BucketReplicationEnabled",
        "viewer/Viewer/Bucket",
        "The bucket contains a public program and its configuration, which a deployment uploads again.",
    ),
    *(
        Suppression(
            rule,
            f"{_VIEWER_DEPLOYMENT}/ServiceRole",
            "The CDK's own function, which unpacks the viewer into its bucket. It has access to that bucket and to the "
            "CDK's assets, runs during deployments only, and sees no data of patients.",
        )
        for rule in (
            _SERVICE_ROLE + "AWSLambdaBasicExecutionRole]",
            "HIPAA.Security-IAMNoInlinePolicy",
            "AwsSolutions-IAM5[Resource::<ViewerBucketF365EC73.Arn>/*]",
            "AwsSolutions-IAM5[Resource::arn:aws:s3:::cdk-hnb659fds-assets-{account}-{region}/*]",
            *(
                f"AwsSolutions-IAM5[Action::{action}*]"
                for action in (
                    "kms:GenerateDataKey",
                    "kms:ReEncrypt",
                    "s3:Abort",
                    "s3:DeleteObject",
                    "s3:GetBucket",
                    "s3:GetObject",
                    "s3:List",
                )
            ),
        )
    ),
    *(
        Suppression(
            rule,
            _VIEWER_DEPLOYMENT,
            "The CDK's own function, whose runtime the CDK sets. CloudFormation calls it, waits for its answer, and "
            "fails if it fails: no concurrency has to be limited, no event to be kept, and it needs no service but "
            "S3.",
        )
        for rule in (
            "AwsSolutions-L1",
            "HIPAA.Security-LambdaConcurrency",
            "HIPAA.Security-LambdaDLQ",
            "HIPAA.Security-LambdaInsideVPC",
        )
    ),
)

_EDGE = (
    Suppression(
        "AwsSolutions-CFR1",
        "edge/Distribution",
        "edge_allowed_cidrs lists the networks that may read; the country of an address is no access control.",
    ),
    Suppression(
        "AwsSolutions-CFR3",
        "edge/Distribution",
        "The older logging, which this rule checks, always contains queries, and queries contain patients' names. "
        "Standard logging v2 delivers selected fields to the log bucket (cdk/operations/stack.py).",
    ),
    *(
        Suppression(
            rule,
            "edge/ApiGuard",
            "CloudFront and the firewall must change together: a scheduled rotation would make the firewall refuse "
            "CloudFront until the next deployment. docs/operations.md says how a deployment changes the secret.",
        )
        for rule in ("AwsSolutions-SMG4", "HIPAA.Security-SecretsManagerRotationEnabled")
    ),
)

SUPPRESSIONS: tuple[Suppression, ...] = (
    *_STORAGE,
    *_INDEX,
    *_ACCESS,
    *_APPLICATION,
    *_STORE,
    *_VIEWER,
    *_EDGE,
)

UNPROTECTED: tuple[Suppression, ...] = tuple(
    Suppression(
        rule, path, "The configuration sets deletion_protection = false, so that the archive can be removed again."
    )
    for rule, path in (
        ("AwsSolutions-RDS10", "index/Index/Cluster"),
        ("HIPAA.Security-RDSInstanceDeletionProtectionEnabled", "index/Index/Cluster"),
        ("HIPAA.Security-ELBDeletionProtectionEnabled", "store/Balancer/LoadBalancer"),
    )
)
"""Accepted as well if the configuration turns deletion protection off."""
