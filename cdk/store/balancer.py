"""The store's load balancer: terminates TLS, and accepts CloudFront and the configured networks of senders."""

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from cdk.archive.network import HTTPS, HTTPS_PORT
from cdk.configuration.deployment import Deployment
from cdk.configuration.file import ConfigurationError

NGINX_PORT = 8080  # EXPOSE of stow_nlb/Dockerfile
HEALTH_PATH = "/health"
# How long the uploads of a task may continue after the load balancer sends it no new ones.
DEREGISTRATION_SECONDS = 120

# TLS 1.2 and 1.3, only with forward secrecy and authenticated encryption: Java 8, OpenSSL 1.0.2 and later can connect.
TLS_POLICY = elbv2.SslPolicy.TLS13_RES

# Ids of the managed prefix list com.amazonaws.global.cloudfront.origin-facing. They differ by region and are the same
# in every account; CloudFormation cannot look them up. For other regions, `cloudfront_prefix_list_id` is configured.
CLOUDFRONT_PREFIX_LISTS = {
    "us-east-1": "pl-3b927c52",
    "us-east-2": "pl-b6a144df",
    "us-west-1": "pl-4ea04527",
    "us-west-2": "pl-82a045eb",
    "eu-west-1": "pl-4fa04526",
    "eu-west-2": "pl-93a247fa",
    "eu-central-1": "pl-a3a144ca",
    "ap-southeast-1": "pl-31a34658",
    "ap-southeast-2": "pl-b8a742d1",
    "ap-northeast-1": "pl-58a04531",
}


def cloudfront_prefix_list(deployment: Deployment) -> str:
    """Return the id of the prefix list with the addresses from which CloudFront sends requests to origins.

    Raises
    ------
    ConfigurationError
        If it is neither configured nor known for the region.
    """
    known = deployment.cloudfront_prefix_list_id or CLOUDFRONT_PREFIX_LISTS.get(deployment.region)
    if known is None:
        raise ConfigurationError(
            f"cloudfront_prefix_list_id must be configured in {deployment.region}. This command prints it: "
            f"aws ec2 describe-managed-prefix-lists --region {deployment.region} --output text "
            "--filters Name=prefix-list-name,Values=com.amazonaws.global.cloudfront.origin-facing "
            "--query 'PrefixLists[0].PrefixListId'"
        )
    return known


class StoreBalancer(Construct):
    """The network load balancer, which senders and CloudFront reach over TLS only.

    Its idle timeout for TLS is 350 s and cannot be changed. nginx waits at most 300 s for a client's next byte, and the
    service 30 s, so the load balancer never ends an upload that makes progress.
    """

    def __init__(
        self, scope: Construct, identifier: str, deployment: Deployment, *, vpc: ec2.IVpc, subnets: ec2.SubnetSelection
    ) -> None:
        super().__init__(scope, identifier)
        # Two groups, because the prefix list alone counts as 55 of the 60 rules that a group may have.
        self._senders = self._security_group("Senders", vpc, "Senders of STOW-RS requests")
        for cidr in deployment.allowed_cidrs:
            self._senders.add_ingress_rule(ec2.Peer.ipv4(cidr), HTTPS, "STOW-RS over TLS")
        self._edge = self._security_group("Edge", vpc, "CloudFront")
        self._edge.add_ingress_rule(
            ec2.Peer.prefix_list(cloudfront_prefix_list(deployment)), HTTPS, "CloudFront over TLS"
        )
        self.load_balancer = elbv2.NetworkLoadBalancer(
            self,
            "LoadBalancer",
            vpc=vpc,
            vpc_subnets=subnets,
            internet_facing=True,
            cross_zone_enabled=True,
            security_groups=[self._senders, self._edge],
            deletion_protection=deployment.deletion_protection,
        )
        self.target_group = elbv2.NetworkTargetGroup(
            self,
            "Targets",
            vpc=vpc,
            port=NGINX_PORT,
            protocol=elbv2.Protocol.TCP,
            target_type=elbv2.TargetType.IP,
            preserve_client_ip=False,
            deregistration_delay=Duration.seconds(DEREGISTRATION_SECONDS),
            # Otherwise a sender that keeps its connection open would continue to use a task that is about to end.
            connection_termination=True,
            health_check=elbv2.HealthCheck(
                protocol=elbv2.Protocol.HTTP,
                path=HEALTH_PATH,
                interval=Duration.seconds(10),
                timeout=Duration.seconds(5),
                healthy_threshold_count=2,
                unhealthy_threshold_count=3,
            ),
        )
        self.load_balancer.add_listener(
            "Tls",
            port=HTTPS_PORT,
            protocol=elbv2.Protocol.TLS,
            certificates=[elbv2.ListenerCertificate.from_arn(deployment.certificate_arn)],
            ssl_policy=TLS_POLICY,
            default_target_groups=[self.target_group],
        )

    def allow_to(self, tasks: ec2.ISecurityGroup) -> None:
        """Allow requests and health checks to reach the tasks."""
        for group in (self._senders, self._edge):
            group.add_egress_rule(tasks, ec2.Port.tcp(NGINX_PORT), "nginx")
            tasks.add_ingress_rule(group, ec2.Port.tcp(NGINX_PORT), "From the load balancer")

    def _security_group(self, identifier: str, vpc: ec2.IVpc, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(self, identifier, vpc=vpc, description=description, allow_all_outbound=False)
