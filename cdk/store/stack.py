"""The store: a load balancer that terminates TLS, and containers with nginx and the STOW-RS service behind it."""

import re

from aws_cdk import Acknowledgment, Aws, CfnOutput, Duration, Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.application.access import WRITE_WITH_KEY
from cdk.archive.index import IndexStack
from cdk.archive.network import HTTPS
from cdk.archive.records import RecordsStack
from cdk.archive.storage import StorageStack
from cdk.configuration.deployment import Deployment
from cdk.parts.archive_stack import ArchiveStack
from cdk.parts.log_group import log_group
from cdk.project import PROJECT
from cdk.store.balancer import NGINX_PORT, StoreBalancer
from chalicelib.settings import StowSettings

# A task that is stopped has SHUTDOWN_SECONDS to finish its uploads, and is killed after STOP_SECONDS, the most that
# Fargate allows.
SHUTDOWN_SECONDS = int(StowSettings().shutdown_timeout_seconds)
STOP_SECONDS = 120
CPU_TARGET_PERCENT = 60
IMAGE_FILES = ("requirements.txt", "chalicelib", "stow_nlb")
"""The files that stow_nlb/Dockerfile copies; .dockerignore excludes all others from the build."""

# Only an image in ECR needs a right to be pulled, and gets it.
_ECR_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<name>[^:@]+)[:@](?P<version>.+)"
)


class StoreService(Construct):
    """The Fargate service: without a public address or a route to the internet; it can write to ``/tmp`` only."""

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        deployment: Deployment,
        *,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        key: kms.IKey,
        environment: dict[str, str],
    ) -> None:
        super().__init__(scope, identifier)
        self.cluster = ecs.Cluster(self, "Cluster", vpc=vpc, container_insights_v2=ecs.ContainerInsights.ENABLED)
        self.log_group = log_group(self, "Log", deployment, name=f"/{deployment.name}/store", key=key)
        self.task_role = iam.Role(
            self, "TaskRole", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"), description="STOW-RS service"
        )
        task = ecs.FargateTaskDefinition(
            self,
            "Task",
            cpu=deployment.store_cpu,
            memory_limit_mib=deployment.store_memory_mib,
            task_role=self.task_role,
            volumes=[ecs.Volume(name="scratch")],
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.X86_64, operating_system_family=ecs.OperatingSystemFamily.LINUX
            ),
        )
        container = task.add_container(
            "stow",
            image=store_image(self, deployment),
            environment=environment,
            readonly_root_filesystem=True,
            user="10001:10001",  # as in the Dockerfile
            stop_timeout=Duration.seconds(STOP_SECONDS),
            logging=ecs.LogDrivers.aws_logs(stream_prefix="stow", log_group=self.log_group),
            port_mappings=[ecs.PortMapping(container_port=NGINX_PORT)],
        )
        # Here and not in cdk/compliance/suppressions.py, because an image outside ECR needs no such right.
        Validations.of(task.obtain_execution_role()).acknowledge(
            Acknowledgment(
                id="AwsSolutions-IAM5[Resource::*]",
                reason="ecr:GetAuthorizationToken cannot be limited to a resource; images come from one repository.",
            )
        )
        # For nginx's pid and configuration, and the directories that it requires.
        container.add_mount_points(
            ecs.MountPoint(source_volume="scratch", container_path="/tmp", read_only=False)  # noqa: S108 - the container's own
        )
        self.security_group = ec2.SecurityGroup(
            self, "Tasks", vpc=vpc, description="STOW-RS service", allow_all_outbound=False
        )
        # For the endpoints in this network, and for S3 and DynamoDB, whose gateways use public addresses. There is no
        # route to other addresses.
        self.security_group.add_egress_rule(ec2.Peer.any_ipv4(), HTTPS, "AWS over TLS")
        self.service = ecs.FargateService(
            self,
            "Service",
            cluster=self.cluster,
            task_definition=task,
            # No desired_count: each deployment would reset it, and end the tasks that scaling has added together with
            # their uploads. A new service starts with one task, and scaling raises that to the minimum.
            vpc_subnets=subnets,
            assign_public_ip=False,
            security_groups=[self.security_group],
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            min_healthy_percent=100,
            max_healthy_percent=200,
            health_check_grace_period=Duration.seconds(60),
            platform_version=ecs.FargatePlatformVersion.LATEST,
        )
        scaling = self.service.auto_scale_task_count(
            min_capacity=deployment.store_min_tasks, max_capacity=deployment.store_max_tasks
        )
        scaling.scale_on_cpu_utilization(
            "Cpu",
            target_utilization_percent=CPU_TARGET_PERCENT,
            scale_out_cooldown=Duration.seconds(60),
            # Longer than an upload and its draining, after which a task ends with the uploads that it still has.
            scale_in_cooldown=Duration.seconds(600),
        )


class StoreStack(ArchiveStack):
    """Load balancer, service, and the rights of its tasks."""

    def __init__(
        self,
        scope: Construct,
        deployment: Deployment,
        *,
        storage: StorageStack,
        records: RecordsStack,
        index: IndexStack,
    ) -> None:
        super().__init__(scope, "store", deployment)
        balancer = StoreBalancer(self, "Balancer", deployment, vpc=index.vpc, subnets=index.public_subnets)
        store = StoreService(
            self,
            "Store",
            deployment,
            vpc=index.vpc,
            subnets=index.isolated_subnets,
            key=storage.data_key,
            environment={
                "ARCHIVE_NAME": deployment.name,
                "AWS_DEFAULT_REGION": deployment.region,
                "LANDING_BUCKET": storage.landing.bucket.bucket_name,
                "STATIC_BUCKET": storage.static_bucket.bucket_name,
                "RECORDS_TABLE": records.records_table.table_name,
                "REJECTIONS_TABLE": records.rejections_table.table_name,
                # Required among the settings; the service does not read the secret and has no right to.
                "DATABASE_SECRET_ID": index.app_secret.secret_arn,
                "LANDING_QUEUE_NAME": deployment.landing_queue_name,
                "DICOMWEB_ROOT": deployment.dicomweb_root,
                "STOW_SHUTDOWN_TIMEOUT_SECONDS": str(SHUTDOWN_SECONDS),
            },
        )
        iam.ManagedPolicy(
            self,
            "TaskPolicy",
            description=f"Store of {deployment.name}",
            statements=task_statements(storage.landing.bucket, records.records_table.table_arn, storage.data_key),
            roles=[store.task_role],
        )
        balancer.allow_to(store.security_group)
        store.service.attach_to_network_target_group(balancer.target_group)
        # These logs contain TLS connections with addresses and certificates, but no URLs.
        balancer.load_balancer.log_access_logs(storage.log_bucket, "store")
        self.load_balancer, self.target_group = balancer.load_balancer, balancer.target_group
        self.service, self.cluster, self.log_group = store.service, store.cluster, store.log_group
        CfnOutput(
            self,
            "LoadBalancerDnsName",
            value=self.load_balancer.load_balancer_dns_name,
            description=f"Target of the CNAME {deployment.stow_fqdn}",
        )


def task_statements(landing: s3.IBucket, records_table_arn: str, key: kms.IKey) -> list[iam.PolicyStatement]:
    """All rights of a task: to write landing objects, whole or in parts, and to look up instances in the records."""
    return [
        iam.PolicyStatement(
            actions=["s3:PutObject", "s3:AbortMultipartUpload"], resources=[landing.arn_for_objects("*")]
        ),
        iam.PolicyStatement(actions=["dynamodb:BatchGetItem"], resources=[records_table_arn]),
        iam.PolicyStatement(
            # The parts of an upload share the data key of the first, which is decrypted for each of them.
            actions=[*WRITE_WITH_KEY, "kms:Decrypt", "kms:DescribeKey"],
            resources=[key.key_arn],
        ),
    ]


def store_image(scope: Construct, deployment: Deployment) -> ecs.ContainerImage:
    """Return the configured image, or one that `cdk deploy` builds from this repository."""
    if deployment.store_image is None:
        return ecs.ContainerImage.from_asset(
            str(PROJECT), file="stow_nlb/Dockerfile", platform=ecr_assets.Platform.LINUX_AMD64
        )
    in_ecr = _ECR_IMAGE.match(deployment.store_image)
    if in_ecr is None:
        return ecs.ContainerImage.from_registry(deployment.store_image)
    repository = ecr.Repository.from_repository_attributes(
        scope,
        "Repository",
        repository_name=in_ecr["name"],
        repository_arn=f"arn:{Aws.PARTITION}:ecr:{in_ecr['region']}:{in_ecr['account']}:repository/{in_ecr['name']}",
    )
    return ecs.ContainerImage.from_ecr_repository(repository, in_ecr["version"])
