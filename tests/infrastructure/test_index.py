"""Network and index: nothing has a route to the internet, and no account can log in without TLS."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.infrastructure.support.parts import only
from tests.infrastructure.support.synthesis import REGION, Template, resources


@pytest.fixture
def index(templates: Mapping[str, Template]) -> Template:
    return templates["index"]


def service(endpoint: dict[str, Any]) -> str:
    """The service's name without its prefix, which contains the region as text or by reference."""
    name = endpoint["Properties"]["ServiceName"]
    text = name if isinstance(name, str) else "".join(part for part in name["Fn::Join"][1] if isinstance(part, str))
    return text.removeprefix("com.amazonaws.").removeprefix(REGION).removeprefix(".")


def endpoints(index: Template, kind: str) -> set[str]:
    return {
        service(endpoint)
        for endpoint in resources(index, "AWS::EC2::VPCEndpoint").values()
        if endpoint["Properties"]["VpcEndpointType"] == kind
    }


def test_there_is_no_nat_gateway(templates: Mapping[str, Template]) -> None:
    for template in templates.values():
        assert resources(template, "AWS::EC2::NatGateway") == {}
        assert resources(template, "AWS::EC2::EIP") == {}


def test_aws_is_reached_by_endpoints(index: Template) -> None:
    assert endpoints(index, "Gateway") == {"s3", "dynamodb"}
    assert endpoints(index, "Interface") == {"secretsmanager", "sqs", "ecr.api", "ecr.dkr", "logs"}


def test_gateways_are_in_the_route_tables_of_the_isolated_subnets(index: Template) -> None:
    isolated = {name for name in resources(index, "AWS::EC2::RouteTable") if "isolated" in name}

    assert len(isolated) == 2
    for endpoint in resources(index, "AWS::EC2::VPCEndpoint").values():
        if endpoint["Properties"]["VpcEndpointType"] == "Gateway":
            assert isolated <= {table["Ref"] for table in endpoint["Properties"]["RouteTableIds"]}


def test_isolated_subnets_have_no_route_to_the_internet(index: Template) -> None:
    with_route = {route["Properties"]["RouteTableId"]["Ref"] for route in resources(index, "AWS::EC2::Route").values()}

    assert with_route == {name for name in resources(index, "AWS::EC2::RouteTable") if "public" in name}


def test_no_subnet_gives_out_public_addresses(index: Template) -> None:
    for subnet in resources(index, "AWS::EC2::Subnet").values():
        assert subnet["Properties"]["MapPublicIpOnLaunch"] is False


def test_traffic_is_logged(index: Template) -> None:
    assert only(index, "AWS::EC2::FlowLog")["TrafficType"] == "ALL"


def test_log_bucket_takes_the_flow_logs(templates: Mapping[str, Template]) -> None:
    """Without this statement AWS would add one, and the next deployment would remove it."""
    text = str(resources(templates["storage"], "AWS::S3::BucketPolicy"))

    assert "/vpc-flows/AWSLogs/" in text


def test_interface_endpoints_are_open_to_the_network_only(index: Template) -> None:
    groups = [group["Properties"] for group in resources(index, "AWS::EC2::SecurityGroup").values()]
    ingress = [rule for group in groups for rule in group.get("SecurityGroupIngress", [])]

    assert [(rule["CidrIp"], rule["FromPort"], rule["ToPort"]) for rule in ingress] == [("10.20.0.0/16", 443, 443)]


def test_database_is_reached_by_functions_and_rotation_only(index: Template) -> None:
    rules = [rule["Properties"] for rule in resources(index, "AWS::EC2::SecurityGroupIngress").values()]

    assert sorted(rule["Description"] for rule in rules) == ["Functions", "Rotation of passwords"]
    assert {(rule["FromPort"], rule["ToPort"], "SourceSecurityGroupId" in rule) for rule in rules} == {
        (3306, 3306, True)
    }


def test_no_database_instance_has_a_public_address(index: Template) -> None:
    instances = resources(index, "AWS::RDS::DBInstance").values()

    assert [instance["Properties"]["PubliclyAccessible"] for instance in instances] == [False, False]
    subnets = only(index, "AWS::RDS::DBSubnetGroup")["SubnetIds"]
    assert all("isolated" in subnet["Ref"] for subnet in subnets)


def test_nobody_logs_in_without_tls(index: Template) -> None:
    parameters = only(index, "AWS::RDS::DBClusterParameterGroup")["Parameters"]

    assert parameters["require_secure_transport"] == "ON"
    assert parameters["tls_version"] == "TLSv1.2,TLSv1.3"


def test_text_is_utf8_in_full(index: Template) -> None:
    parameters = only(index, "AWS::RDS::DBClusterParameterGroup")["Parameters"]

    assert parameters["character_set_server"] == "utf8mb4"
    assert parameters["collation_server"] == "utf8mb4_unicode_520_ci"


def test_cluster_is_encrypted_backed_up_protected_and_leaves_a_snapshot(index: Template) -> None:
    [cluster] = resources(index, "AWS::RDS::DBCluster").values()
    properties = cluster["Properties"]

    assert properties["StorageEncrypted"] is True
    assert "KmsKeyId" in properties
    assert properties["BackupRetentionPeriod"] == 35
    assert properties["DeletionProtection"] is True
    assert (cluster["DeletionPolicy"], cluster["UpdateReplacePolicy"]) == ("Snapshot", "Snapshot")
    assert properties["ServerlessV2ScalingConfiguration"] == {"MinCapacity": 0.5, "MaxCapacity": 8}


def test_no_statement_with_a_patient_s_name_is_exported_to_a_log(index: Template) -> None:
    exported = only(index, "AWS::RDS::DBCluster")["EnableCloudwatchLogsExports"]
    parameters = only(index, "AWS::RDS::DBClusterParameterGroup")["Parameters"]

    assert exported == ["audit", "error"]
    assert parameters["server_audit_events"] == "CONNECT,QUERY_DCL,QUERY_DDL"


def test_log_groups_of_the_database_are_there_before_it_with_key_and_retention(index: Template) -> None:
    groups = resources(index, "AWS::Logs::LogGroup")
    [cluster] = resources(index, "AWS::RDS::DBCluster").values()

    assert sorted(group["Properties"]["LogGroupName"] for group in groups.values()) == [
        "/aws/rds/cluster/radiology-index/audit",
        "/aws/rds/cluster/radiology-index/error",
    ]
    assert set(groups) <= set(cluster["DependsOn"])
    assert cluster["Properties"]["DBClusterIdentifier"] == "radiology-index"


def test_both_passwords_are_rotated_each_month_but_not_before_there_is_an_account(index: Template) -> None:
    schedules = [
        schedule["Properties"] for schedule in resources(index, "AWS::SecretsManager::RotationSchedule").values()
    ]

    assert sorted(schedule["HostedRotationLambda"]["RotationType"] for schedule in schedules) == [
        "MySQLMultiUser",
        "MySQLSingleUser",
    ]
    for schedule in schedules:
        assert schedule["RotationRules"] == {"ScheduleExpression": "rate(30 days)"}
        assert schedule["RotateImmediatelyOnUpdate"] is False


def test_passwords_are_scheduled_for_rotation_when_a_server_answers(index: Template) -> None:
    """Secrets Manager logs in when a schedule is created, and a cluster without an instance does not answer."""
    instances = set(resources(index, "AWS::RDS::DBInstance"))

    for name, schedule in resources(index, "AWS::SecretsManager::RotationSchedule").items():
        assert instances <= set(schedule["DependsOn"]), name


def test_functions_account_is_not_the_administrator(index: Template) -> None:
    texts = [str(secret["Properties"]) for secret in resources(index, "AWS::SecretsManager::Secret").values()]

    assert sum('"username":"administrator"' in text for text in texts) == 1
    assert sum('"username":"archive"' in text and "masterarn" in text for text in texts) == 1
