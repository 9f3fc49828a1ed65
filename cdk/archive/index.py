"""The search index: an Aurora MySQL cluster in the network, its accounts, and the rotation of their passwords."""

from typing import cast

from aws_cdk import CfnOutput, Duration, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from cdk.archive.network import HTTPS, ISOLATED, PUBLIC, Network, availability_zones
from cdk.configuration.deployment import Deployment
from cdk.parts.archive_stack import ArchiveStack
from cdk.parts.log_group import log_group

DATABASE = "archive"
_ADMINISTRATOR = "administrator"
_USER = "archive"
_MYSQL = ec2.Port.tcp(3306)
_ENGINE = rds.DatabaseClusterEngine.aurora_mysql(version=rds.AuroraMysqlEngineVersion.VER_3_12_0)
# The general and slow logs contain statements with their values, and searches contain names of patients.
_LOGS = ("audit", "error")
_ROTATION = Duration.days(30)

_PARAMETERS = {
    # As in chalicelib/adapters/mysql/schema.sql; the default for tables that name no character set.
    "character_set_server": "utf8mb4",
    "collation_server": "utf8mb4_unicode_520_ci",
    # No account can log in without TLS.
    "require_secure_transport": "ON",
    "tls_version": "TLSv1.2,TLSv1.3",
    # Connections and changes of accounts and tables; never the values of a query.
    "server_audit_logging": "1",
    "server_audit_events": "CONNECT,QUERY_DCL,QUERY_DDL",
    # Ends the connections of functions that Lambda has frozen and never resumed.
    "wait_timeout": "900",
}


class Index(Construct):
    """The cluster and its two accounts: the administrator's, for migrations, and the functions'.

    Strategy: the migration creates the functions' account in the database from its secret. Its password can be
    rotated only after that, so the schedules begin with their first period and not immediately.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        deployment: Deployment,
        vpc: ec2.IVpc,
        key: kms.IKey,
        function_security_group: ec2.ISecurityGroup,
    ) -> None:
        super().__init__(scope, id_)
        name = f"{deployment.name}-index"
        log_groups = self._log_groups(name, deployment, key)
        self.master_secret = rds.DatabaseSecret(
            self, "MasterSecret", username=_ADMINISTRATOR, dbname=DATABASE, encryption_key=key
        )
        self.cluster = self._cluster(name, deployment, vpc, key)
        self.attached_master_secret = cast(secretsmanager.ISecret, self.cluster.secret)
        self.cluster.node.add_dependency(*log_groups)
        self.cluster.connections.allow_from(function_security_group, _MYSQL, "Functions")
        self.app_secret = self._app_secret(key)
        self._rotate(deployment.name, vpc)

    def _log_groups(self, cluster: str, deployment: Deployment, key: kms.IKey) -> list[logs.LogGroup]:
        """Create the log groups before RDS creates them without retention and key."""
        return [
            log_group(self, f"{log.title()}Log", deployment, name=f"/aws/rds/cluster/{cluster}/{log}", key=key)
            for log in _LOGS
        ]

    def _cluster(self, name: str, deployment: Deployment, vpc: ec2.IVpc, key: kms.IKey) -> rds.DatabaseCluster:
        return rds.DatabaseCluster(
            self,
            "Cluster",
            engine=_ENGINE,
            cluster_identifier=name,
            credentials=rds.Credentials.from_secret(self.master_secret),
            default_database_name=DATABASE,
            parameter_group=rds.ParameterGroup(self, "Parameters", engine=_ENGINE, parameters=_PARAMETERS),
            vpc=vpc,
            vpc_subnets=ISOLATED,
            serverless_v2_min_capacity=deployment.aurora_min_acu,
            serverless_v2_max_capacity=deployment.aurora_max_acu,
            writer=_instance("Writer"),
            readers=[
                # Scales with the writer, so that it can take over at the same load.
                _instance(f"Reader{number}", scale_with_writer=True)
                for number in range(1, deployment.aurora_instances)
            ],
            storage_encrypted=True,
            storage_encryption_key=key,
            backup=rds.BackupProps(retention=Duration.days(35)),
            copy_tags_to_snapshot=True,
            cloudwatch_logs_exports=list(_LOGS),
            monitoring_interval=Duration.minutes(1),
            deletion_protection=deployment.deletion_protection,
            removal_policy=RemovalPolicy.SNAPSHOT,
        )

    def _app_secret(self, key: kms.IKey) -> secretsmanager.ISecret:
        secret = rds.DatabaseSecret(
            self,
            "AppSecret",
            username=_USER,
            dbname=DATABASE,
            master_secret=self.master_secret,
            encryption_key=key,
        )
        return secret.attach(self.cluster)

    def _rotate(self, name: str, vpc: ec2.IVpc) -> None:
        group = ec2.SecurityGroup(
            self, "Rotation", vpc=vpc, description="Rotation of passwords", allow_all_outbound=False
        )
        self.cluster.connections.allow_from(group, _MYSQL, "Rotation of passwords")
        group.add_egress_rule(ec2.Peer.ipv4(vpc.vpc_cidr_block), HTTPS, "Secrets Manager")
        of_master = self.attached_master_secret.add_rotation_schedule(
            "Rotation",
            automatically_after=_ROTATION,
            rotate_immediately_on_update=False,
            hosted_rotation=secretsmanager.HostedRotation.mysql_single_user(
                function_name=f"{name}-rotate-administrator", vpc=vpc, vpc_subnets=ISOLATED, security_groups=[group]
            ),
        )
        of_app = self.app_secret.add_rotation_schedule(
            "Rotation",
            automatically_after=_ROTATION,
            rotate_immediately_on_update=False,
            # Two accounts take turns, so a function that has read the former password can still use it.
            hosted_rotation=secretsmanager.HostedRotation.mysql_multi_user(
                master_secret=self.attached_master_secret,
                function_name=f"{name}-rotate-archive",
                vpc=vpc,
                vpc_subnets=ISOLATED,
                security_groups=[group],
            ),
        )
        for schedule in (of_master, of_app):
            # Secrets Manager logs in when a schedule is created, and a cluster without an instance does not answer.
            schedule.node.add_dependency(self.cluster)


def _instance(id_: str, *, scale_with_writer: bool | None = None) -> rds.IClusterInstance:
    return rds.ClusterInstance.serverless_v2(
        id_,
        scale_with_writer=scale_with_writer,
        publicly_accessible=False,
        auto_minor_version_upgrade=True,
        ca_certificate=rds.CaCertificate.RDS_CA_RSA2048_G1,
    )


class IndexStack(ArchiveStack):
    """The network that the functions and the store service run in, and the search index."""

    def __init__(self, scope: Construct, deployment: Deployment, *, data_key: kms.IKey, log_bucket: s3.IBucket) -> None:
        self._zones = deployment.availability_zones
        super().__init__(scope, "index", deployment, stateful=True)
        network = Network(
            self, "Network", cidr=deployment.vpc_cidr, zones=deployment.availability_zones, log_bucket=log_bucket
        )
        self.vpc = network.vpc
        self.public_subnets, self.isolated_subnets = PUBLIC, ISOLATED
        self.function_security_group = ec2.SecurityGroup(
            self, "Functions", vpc=self.vpc, description="Functions of the archive"
        )
        index = Index(
            self,
            "Index",
            deployment=deployment,
            vpc=self.vpc,
            key=data_key,
            function_security_group=self.function_security_group,
        )
        self.cluster = index.cluster
        self.master_secret = index.attached_master_secret
        self.app_secret = index.app_secret
        self._outputs()

    @property
    def availability_zones(self) -> list[str]:
        """Zones of the network; overridden because the base class would look them up in the account."""
        return availability_zones(self._zones)

    def _outputs(self) -> None:
        subnets = self.vpc.select_subnets(subnet_group_name=ISOLATED.subnet_group_name).subnet_ids
        CfnOutput(self, "DatabaseSecretArn", value=self.app_secret.secret_arn)
        CfnOutput(self, "DatabaseMasterSecretArn", value=self.master_secret.secret_arn)
        CfnOutput(self, "DatabaseEndpoint", value=self.cluster.cluster_endpoint.hostname)
        CfnOutput(self, "FunctionSubnetIds", value=",".join(subnets))
        CfnOutput(self, "FunctionSecurityGroupId", value=self.function_security_group.security_group_id)
