"""What cdk-nag is told not to report, and why: one table."""

from dataclasses import dataclass

from cdk.application.access import APP_NAME


@dataclass(frozen=True, slots=True)
class Suppression:
    """One finding that is accepted.

    Parameters
    ----------
    rule
        As cdk-nag names the finding, with its brackets; ``{name}`` is the archive's name,
        ``{account}`` and ``{region}`` are its stack's.
    path
        Part and path of the construct below its stack; it covers all that is below.
    reason
        What makes it acceptable.
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
            "S3 keeps each object in three zones, versioning keeps what is overwritten, and no role may delete. A copy "
            "in another region doubles the storage's price: docs/operations.md says how a site that wants it adds it.",
        )
        for path in ("storage/Landing/Bucket", "storage/Static", "storage/Logs")
    ),
    Suppression(
        "HIPAA.Security-S3DefaultEncryptionKMS",
        "storage/Logs",
        "S3 delivers access logs only to buckets with its own keys (SSE-S3); they hold keys with UIDs, no image.",
    ),
    *(
        Suppression(
            "HIPAA.Security-DynamoDBInBackupPlan",
            path,
            "Point-in-time recovery restores any second of the last 35 days, which a plan's daily copy could not; the "
            "table is protected from deletion, and the landing bucket has all that it was made from.",
        )
        for path in ("records/Records", "records/Rejections")
    ),
)

_INDEX = (
    Suppression(
        "HIPAA.Security-VPCDefaultSecurityGroupClosed",
        "index/Network/Vpc",
        "Nothing is in this group: each interface, function, task and instance is given its own. CloudFormation cannot "
        "take away its rules; a function with the right to change security groups would be the greater risk.",
    ),
    Suppression(
        "HIPAA.Security-VPCNoUnrestrictedRouteToIGW",
        "index/Network/Vpc",
        "The public subnets hold the load balancer and nothing else, and are not given public addresses by default. "
        "Functions, tasks and database are in isolated subnets, whose route tables have no such route.",
    ),
    Suppression(
        _SERVICE_ROLE + "AmazonRDSEnhancedMonitoringRole]",
        "index/Index/Cluster/MonitoringRole",
        "AWS's own policy for enhanced monitoring: it allows writing to the log group RDSOSMetrics, and only RDS may "
        "take the role.",
    ),
    Suppression(
        "AwsSolutions-RDS6",
        "index/Index/Cluster",
        "The functions log in with a password from Secrets Manager that is changed each month. Tokens of IAM cost "
        "memory and time of the server at each new connection, which every cold start opens.",
    ),
    Suppression(
        "AwsSolutions-RDS11",
        "index/Index/Cluster",
        "The cluster is in isolated subnets, and its security group lets in the functions and the rotation only: "
        "another port would hide it from nobody who can reach it.",
    ),
    Suppression(
        "AwsSolutions-RDS14",
        "index/Index/Cluster",
        "Backtracking rewinds the whole cluster in place, away from tables and buckets. The index is restored beside "
        "the old one, from 35 days of continuous backup (docs/operations.md).",
    ),
    *(
        Suppression(
            f"HIPAA.Security-RDSLoggingEnabled[LogExport::{log}]",
            "index/Index/Cluster",
            "This log holds statements with their values: names and birth dates of patients that were searched for. "
            "The audit log (connections, changes of accounts and tables) and the error log are exported.",
        )
        for log in ("general", "slowquery")
    ),
    Suppression(
        "HIPAA.Security-RDSInBackupPlan",
        "index/Index/Cluster",
        "The cluster keeps 35 days of continuous backup of its own, the longest there is, and a last snapshot when "
        "its stack is deleted.",
    ),
)

_ACCESS = (
    *(
        Suppression(
            "AwsSolutions-IAM5[Resource::*]",
            path,
            "Network interfaces (EC2) and traces (X-Ray) have no names before they are made; AWS documents these "
            "calls with the resource *. No call on data is in these statements.",
        )
        for path in _FUNCTIONS
    ),
    *(
        Suppression(
            f"AwsSolutions-IAM5[Resource::{_LOG_GROUPS}{name}-*]",
            path,
            "The streams of the functions' own log groups, whose names begin so: with the archive's name as the CDK "
            "deploys them, with the application's as `chalice deploy` does.",
        )
        for name in ("{name}", APP_NAME)
        for path in _FUNCTIONS
    ),
    *(
        Suppression(
            f"AwsSolutions-IAM5[Resource::{{name}}-storage:ExportsOutputFnGetAtt{bucket}/*]",
            path,
            "All objects of one bucket of this archive: their keys are UIDs, and are not known beforehand.",
        )
        for bucket in ("LandingBucket6D60388FArnD709F264", "Static3DDAA197Arn56D01BE5")
        for path in _READERS
    ),
)

_APPLICATION = (
    Suppression(
        _SERVICE_ROLE + "AmazonAPIGatewayPushToCloudWatchLogs]",
        "application/ApiGatewayLogs",
        "AWS's own policy for the logs of API Gateway: a setting of the whole account and region, so it cannot be "
        "limited to this archive's groups; only API Gateway may take the role.",
    ),
)

_STORE = (
    Suppression(
        "AwsSolutions-IAM5[Resource::{name}-storage:ExportsOutputFnGetAttLandingBucket6D60388FArnD709F264/*]",
        "store/TaskPolicy",
        "The store writes new objects of the landing bucket under keys that it makes up; it may neither read nor list.",
    ),
    Suppression(
        "AwsSolutions-ECS2",
        "store/Store/Task",
        "Names of buckets and tables, and limits: nothing secret, and a changed value must start new tasks.",
    ),
    Suppression(
        "HIPAA.Security-IAMNoInlinePolicy",
        "store/Store/Task/ExecutionRole",
        "The CDK writes this policy for this one role: pull this image, write to this log group.",
    ),
)

_VIEWER_DEPLOYMENT = "viewer/Custom::CDKBucketDeployment8693BB64968944B69AAFB0CC9EB8756C1024MiB1024MiB"
_VIEWER = (
    Suppression(
        "HIPAA.Security-S3BucketReplicationEnabled",
        "viewer/Viewer/Bucket",
        "It holds a public program and its configuration: a deployment makes all of it again.",
    ),
    *(
        Suppression(
            rule,
            f"{_VIEWER_DEPLOYMENT}/ServiceRole",
            "The CDK's own function that unpacks the viewer into its bucket: it reaches that bucket and the CDK's "
            "assets, runs during deployments only, and sees no data of patients.",
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
            "The CDK's own function, whose runtime it sets. CloudFormation calls it, waits for its answer and fails "
            "where that is bad: there is nothing to limit, nothing to keep for later, and S3 is all that it needs.",
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
        "Who may read is told by edge_allowed_cidrs; the country of an address is no access control.",
    ),
    Suppression(
        "AwsSolutions-CFR3",
        "edge/Distribution",
        "The older logging, which this rule knows, always holds queries, and queries hold patients' names. Standard "
        "logging v2 delivers chosen fields to the log bucket (cdk/operations/stack.py).",
    ),
    *(
        Suppression(
            rule,
            "edge/ApiGuard",
            "CloudFront and the firewall must change together: a schedule would cut them off from each other until the "
            "next deployment. docs/operations.md says how it is changed, by one.",
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
        rule, path, "The configuration says deletion_protection = false: the archive is to be taken down again."
    )
    for rule, path in (
        ("AwsSolutions-RDS10", "index/Index/Cluster"),
        ("HIPAA.Security-RDSInstanceDeletionProtectionEnabled", "index/Index/Cluster"),
        ("HIPAA.Security-ELBDeletionProtectionEnabled", "store/Balancer/LoadBalancer"),
    )
)
"""Accepted, too, where the configuration wants it so."""
