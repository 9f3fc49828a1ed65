"""The store's template: its clients, its rights, and the end of a task with uploads."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cdk.configuration.file import ConfigurationError
from cdk.project import PROJECT
from cdk.store.balancer import cloudfront_prefix_list
from cdk.store.stack import IMAGE_FILES, SHUTDOWN_SECONDS, STOP_SECONDS
from chalicelib.settings import Settings, StowSettings, archive_name
from tests.infrastructure.support.parts import Properties, deployment, of_type, only
from tests.infrastructure.support.statements import as_list
from tests.infrastructure.support.synthesis import Template

# "The maximum stop time-out value is 120 seconds", Fargate.
FARGATE_STOP_SECONDS = 120


@pytest.fixture(scope="session")
def store(templates: Mapping[str, Template]) -> Template:
    return templates["store"]


def container(store: Template) -> Properties:
    [definition] = only(store, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    return definition


def environment(store: Template) -> dict[str, str]:
    # Names of buckets and tables are references.
    return {variable["Name"]: str(variable["Value"]) for variable in container(store)["Environment"]}


def test_the_only_listener_speaks_modern_tls_with_the_given_certificate(store: Template) -> None:
    listener = only(store, "AWS::ElasticLoadBalancingV2::Listener")
    assert (listener["Protocol"], listener["Port"]) == ("TLS", 443)
    assert listener["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
    assert re.fullmatch(r"arn:aws:acm:.*:certificate/.*", listener["Certificates"][0]["CertificateArn"])


def test_nobody_reaches_the_load_balancer_but_cloudfront_and_whom_the_configuration_names(store: Template) -> None:
    rules = list(of_type(store, "AWS::EC2::SecurityGroupIngress").values())
    for group in of_type(store, "AWS::EC2::SecurityGroup").values():
        rules += group.get("SecurityGroupIngress", [])
    from_outside = [rule for rule in rules if "SourceSecurityGroupId" not in rule]
    assert all((rule["FromPort"], rule["ToPort"]) == (443, 443) for rule in from_outside)
    assert "0.0.0.0/0" not in {rule.get("CidrIp") for rule in from_outside}
    assert sum("SourcePrefixListId" in rule for rule in from_outside) == 1
    # And only the load balancer reaches the tasks.
    inside = [rule for rule in rules if "SourceSecurityGroupId" in rule]
    assert {(rule["FromPort"], rule["ToPort"]) for rule in inside} == {(8080, 8080)}


def test_the_prefix_list_and_the_senders_have_a_group_each(store: Template) -> None:
    # The prefix list counts as 55 of the 60 rules that one group may have.
    assert len(only(store, "AWS::ElasticLoadBalancingV2::LoadBalancer")["SecurityGroups"]) == 2


def test_tasks_have_no_public_address_and_are_in_isolated_subnets(store: Template) -> None:
    network = only(store, "AWS::ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["AssignPublicIp"] == "DISABLED"
    assert len(network["Subnets"]) >= 2
    assert all("isolated" in str(subnet) for subnet in network["Subnets"])
    assert all("public" in str(subnet) for subnet in load_balancer_subnets(store))


def load_balancer_subnets(store: Template) -> list[Any]:
    subnets: list[Any] = only(store, "AWS::ElasticLoadBalancingV2::LoadBalancer")["Subnets"]
    return subnets


def test_a_task_is_not_root_and_can_write_to_its_scratch_directory_only(store: Template) -> None:
    definition = container(store)
    [user] = re.findall(r"^USER (\S+)$", (PROJECT / "stow_nlb" / "Dockerfile").read_text(), re.MULTILINE)
    assert definition["User"] == user
    assert not user.startswith("0")
    assert definition["ReadonlyRootFilesystem"] is True
    assert definition["MountPoints"] == [{"ContainerPath": "/tmp", "ReadOnly": False, "SourceVolume": "scratch"}]
    # Fargate copies the directory's owner and mode to the volume only if the image declares it.
    assert 'VOLUME ["/tmp"]' in (PROJECT / "stow_nlb" / "Dockerfile").read_text()
    # entrypoint.sh and nginx.conf write below this directory and nowhere else.
    assert "RUN_DIR=/tmp/stow" in (PROJECT / "stow_nlb" / "entrypoint.sh").read_text()


def test_a_task_may_write_landing_objects_and_read_which_instances_there_are_and_nothing_else(store: Template) -> None:
    statements = only(store, "AWS::IAM::ManagedPolicy")["PolicyDocument"]["Statement"]
    actions = {action for statement in statements for action in as_list(statement["Action"])}
    assert actions == {
        "s3:PutObject",
        "s3:AbortMultipartUpload",
        "dynamodb:BatchGetItem",
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    }
    assert all(statement["Resource"] != "*" for statement in statements)
    task_role = only(store, "AWS::ECS::TaskDefinition")["TaskRoleArn"]["Fn::GetAtt"][0]
    attached = only(store, "AWS::IAM::ManagedPolicy")["Roles"]
    assert attached == [{"Ref": task_role}]
    inline = [policy for policy in of_type(store, "AWS::IAM::Policy").values() if {"Ref": task_role} in policy["Roles"]]
    assert not inline


def test_a_task_that_stops_gets_time_to_finish_its_uploads(store: Template) -> None:
    assert container(store)["StopTimeout"] == STOP_SECONDS <= FARGATE_STOP_SECONDS
    shutdown = StowSettings.from_environment(environment(store)).shutdown_timeout_seconds
    assert shutdown == SHUTDOWN_SECONDS < STOP_SECONDS
    attributes = only(store, "AWS::ElasticLoadBalancingV2::TargetGroup")["TargetGroupAttributes"]
    delays = {attribute["Key"]: attribute["Value"] for attribute in attributes}
    assert int(delays["deregistration_delay.timeout_seconds"]) >= shutdown
    assert delays["deregistration_delay.connection_termination.enabled"] == "true"


def test_no_client_that_makes_progress_is_cut_by_the_load_balancer() -> None:
    # An idle connection over TLS is closed after 350 s, which cannot be changed.
    nginx = (PROJECT / "stow_nlb" / "nginx.conf").read_text()
    [waits] = re.findall(r"client_body_timeout (\d+)s;", nginx)
    assert int(waits) < 350


def test_health_is_asked_of_nginx_by_http(store: Template) -> None:
    target = only(store, "AWS::ElasticLoadBalancingV2::TargetGroup")
    assert (target["Protocol"], target["Port"], target["TargetType"]) == ("TCP", 8080, "ip")
    assert (target["HealthCheckProtocol"], target["HealthCheckPath"]) == ("HTTP", "/health")
    assert "EXPOSE 8080" in (PROJECT / "stow_nlb" / "Dockerfile").read_text()


def test_a_deployment_that_does_not_become_healthy_is_rolled_back(store: Template) -> None:
    configuration = only(store, "AWS::ECS::Service")["DeploymentConfiguration"]
    assert configuration["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert configuration["MinimumHealthyPercent"] == 100


def test_the_number_of_tasks_follows_their_load(store: Template) -> None:
    target = only(store, "AWS::ApplicationAutoScaling::ScalableTarget")
    assert 1 < target["MinCapacity"] < target["MaxCapacity"]
    policy = only(store, "AWS::ApplicationAutoScaling::ScalingPolicy")
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["PredefinedMetricSpecification"] == {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}


def test_a_deployment_leaves_the_number_of_tasks_to_the_scaling(store: Template) -> None:
    # CloudFormation would reset it whenever another property of the service changes.
    assert "DesiredCount" not in only(store, "AWS::ECS::Service")


def test_the_container_is_given_every_setting_that_is_required(store: Template) -> None:
    Settings.from_environment(environment(store))
    assert archive_name(environment(store))


def test_the_log_is_encrypted_and_does_not_grow_for_ever(store: Template) -> None:
    log = only(store, "AWS::Logs::LogGroup")
    assert log["KmsKeyId"]
    assert log["RetentionInDays"]
    assert container(store)["LogConfiguration"]["LogDriver"] == "awslogs"


def test_the_image_is_built_of_what_its_dockerfile_copies_and_of_nothing_else() -> None:
    dockerfile = (PROJECT / "stow_nlb" / "Dockerfile").read_text()
    copied = {Path(source).parts[0] for source in re.findall(r"^COPY (?!--from)(\S+) \S+$", dockerfile, re.MULTILINE)}
    allowed = re.findall(r"^!(\S+)$", (PROJECT / ".dockerignore").read_text(), re.MULTILINE)
    assert copied == set(allowed) == set(IMAGE_FILES)


def test_the_prefix_list_is_known_for_common_regions_and_can_be_configured() -> None:
    assert cloudfront_prefix_list(deployment(region="eu-central-1")) == "pl-a3a144ca"
    configured = deployment(region="eu-central-1", cloudfront_prefix_list_id="pl-0123456789abcdef0")
    assert cloudfront_prefix_list(configured) == "pl-0123456789abcdef0"


def test_where_the_prefix_list_is_not_known_the_command_that_tells_it_is_named() -> None:
    with pytest.raises(ConfigurationError, match="aws ec2 describe-managed-prefix-lists --region sa-east-1"):
        cloudfront_prefix_list(deployment(region="sa-east-1"))
