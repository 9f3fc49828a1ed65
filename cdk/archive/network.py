"""The network: everything runs in isolated subnets without a route to the internet, and reaches AWS by endpoints."""

from aws_cdk import Fn
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.archive.log_bucket import FLOW_LOGS

HTTPS_PORT = 443
HTTPS = ec2.Port.tcp(HTTPS_PORT)

_INTERFACES = {
    # The functions read the database's password, and the rotation changes it.
    "SecretsManager": ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
    # Convert deletes messages one by one.
    "Sqs": ec2.InterfaceVpcEndpointAwsService.SQS,
    # Fargate fetches the store's image (its layers through the gateway of S3) and writes its logs.
    "EcrApi": ec2.InterfaceVpcEndpointAwsService.ECR,
    "EcrDocker": ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
    "Logs": ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
}
"""Interface endpoints, which are paid by hour and zone. Images and records use the gateways, which cost nothing."""

PUBLIC = ec2.SubnetSelection(subnet_group_name="public")
ISOLATED = ec2.SubnetSelection(subnet_group_name="isolated")


def availability_zones(count: int) -> list[str]:
    """References to the account's first zones of the region, which CloudFormation resolves; nothing is looked up."""
    return [Fn.select(index, Fn.get_azs()) for index in range(count)]


class Network(Construct):
    """VPC with public subnets for the load balancer and isolated subnets for everything else; no NAT gateway.

    Its stack must override `availability_zones` with the function of this module: a stack with a known account would
    look up the zones.
    """

    def __init__(self, scope: Construct, id_: str, *, cidr: str, zones: int, log_bucket: s3.IBucket) -> None:
        super().__init__(scope, id_)
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(cidr),
            max_azs=zones,
            nat_gateways=0,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="public", subnet_type=ec2.SubnetType.PUBLIC, map_public_ip_on_launch=False, cidr_mask=27
                ),
                ec2.SubnetConfiguration(name="isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            ],
            gateway_endpoints={
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3),
                "DynamoDb": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.DYNAMODB),
            },
            flow_logs={"Flows": ec2.FlowLogOptions(destination=ec2.FlowLogDestination.to_s3(log_bucket, FLOW_LOGS))},
        )
        endpoints = ec2.SecurityGroup(
            self,
            "Endpoints",
            vpc=self.vpc,
            description="Interface endpoints of AWS services",
            allow_all_outbound=False,
        )
        endpoints.add_ingress_rule(ec2.Peer.ipv4(cidr), HTTPS, "Everything in the VPC")
        for name, service in _INTERFACES.items():
            self.vpc.add_interface_endpoint(
                name,
                service=service,
                subnets=ISOLATED,
                security_groups=[endpoints],
                open=False,
            )
