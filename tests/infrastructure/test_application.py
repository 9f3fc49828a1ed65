"""The Chalice application in CloudFormation: Chalice's template, and the resources that SAM makes of it."""

import copy
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest
from samtranslator.translator.transform import transform

from chalicelib.settings import MIB
from tests.infrastructure.support.synthesis import NAME, REGION, Assembly, Template, resources


class NoManagedPolicies:
    """A loader without policies: the roles are given, so SAM has none to look up."""

    def load(self) -> dict[str, str]:
        return {}


@pytest.fixture
def application(templates: Mapping[str, Template]) -> Template:
    return templates["application"]


@pytest.fixture
def transformed(application: Template, monkeypatch: pytest.MonkeyPatch) -> Template:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    return dict(transform(copy.deepcopy(application), {}, NoManagedPolicies()))


@pytest.fixture(scope="session")
def package(assembly: Assembly) -> zipfile.ZipFile:
    application = assembly.templates["application"]
    [key] = {function["Properties"]["CodeUri"]["Key"] for function in functions(application).values()}
    return zipfile.ZipFile(assembly.directory / f"asset.{key}")


def functions(application: Template) -> dict[str, Any]:
    return resources(application, "AWS::Serverless::Function")


def test_there_are_three_functions_in_the_isolated_subnets(application: Template) -> None:
    assert set(functions(application)) == {"APIHandler", "Convert", "Migrate"}
    for function in functions(application).values():
        network = function["Properties"]["VpcConfig"]
        assert len(network["SecurityGroupIds"]) == 1
        assert [subnet["Fn::ImportValue"].count("isolatedSubnet") for subnet in network["SubnetIds"]] == [1, 1]


def test_each_function_has_its_own_role_and_log(application: Template) -> None:
    roles = {json.dumps(function["Properties"]["Role"]) for function in functions(application).values()}
    logs = {function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"] for function in functions(application).values()}

    assert len(roles) == len(logs) == 3
    assert logs < set(resources(application, "AWS::Logs::LogGroup"))


def test_chalice_makes_no_role_of_its_own(transformed: Template) -> None:
    [role] = resources(transformed, "AWS::IAM::Role").values()

    assert role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {
        "Service": "apigateway.amazonaws.com"
    }


def test_converters_at_once_are_limited_by_the_queue_and_more_than_one(transformed: Template) -> None:
    [mapping] = resources(transformed, "AWS::Lambda::EventSourceMapping").values()

    assert mapping["Properties"]["ScalingConfig"] == {"MaximumConcurrency": 20}
    assert mapping["Properties"]["BatchSize"] == 10
    for function in resources(transformed, "AWS::Lambda::Function").values():
        # Reserved concurrency throttles messages that were already received, and these then count as failed.
        assert "ReservedConcurrentExecutions" not in function["Properties"]


def test_a_message_is_hidden_for_six_times_the_converter_s_time(templates: Mapping[str, Template]) -> None:
    timeout = functions(templates["application"])["Convert"]["Properties"]["Timeout"]
    [landing] = [
        queue["Properties"]
        for queue in resources(templates["storage"], "AWS::SQS::Queue").values()
        if queue["Properties"]["QueueName"] == f"{NAME}-landing"
    ]

    assert landing["VisibilityTimeout"] >= 6 * timeout


def test_only_the_migration_is_told_of_the_administrator_s_secret(application: Template) -> None:
    told = {
        name
        for name, function in functions(application).items()
        if "DATABASE_MASTER_SECRET_ID" in function["Properties"]["Environment"]["Variables"]
    }

    assert told == {"Migrate"}


def test_functions_check_the_database_s_certificate(application: Template) -> None:
    for function in functions(application).values():
        assert function["Properties"]["Environment"]["Variables"]["DATABASE_TLS"] == "verified"


def test_functions_know_the_public_root(application: Template) -> None:
    for function in functions(application).values():
        variables = function["Properties"]["Environment"]["Variables"]
        assert variables["DICOMWEB_ROOT"] == "https://archive.example.org/dicomweb"


def test_largest_instance_fits_the_temporary_storage(application: Template) -> None:
    for name in ("APIHandler", "Convert"):
        assert functions(application)[name]["Properties"]["EphemeralStorage"]["Size"] * MIB > 5 * 1024 * MIB


def test_api_has_one_stage_so_none_is_left_without_the_firewall(transformed: Template) -> None:
    [stage] = resources(transformed, "AWS::ApiGateway::Stage").values()

    assert stage["Properties"]["StageName"] == "api"


def test_api_is_regional_throttled_traced_and_logged(transformed: Template) -> None:
    [api] = resources(transformed, "AWS::ApiGateway::RestApi").values()
    [stage] = resources(transformed, "AWS::ApiGateway::Stage").values()
    [settings] = stage["Properties"]["MethodSettings"]

    assert api["Properties"]["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert api["Properties"]["Name"] == NAME
    assert stage["Properties"]["TracingEnabled"] is True
    assert settings["ThrottlingRateLimit"] == 2000
    assert stage["Properties"]["AccessLogSetting"]["DestinationArn"]


def test_no_log_of_the_api_holds_what_was_searched_for(transformed: Template) -> None:
    [stage] = resources(transformed, "AWS::ApiGateway::Stage").values()
    [settings] = stage["Properties"]["MethodSettings"]
    fields = json.loads(stage["Properties"]["AccessLogSetting"]["Format"])

    assert (settings["LoggingLevel"], settings["DataTraceEnabled"]) == ("ERROR", False)
    assert set(fields) == {"requestId", "status", "method", "resource", "milliseconds", "bytes", "error"}


def test_api_takes_binary_bodies_and_head_requests(application: Template) -> None:
    [api] = resources(application, "AWS::Serverless::Api").values()
    document = api["Properties"]["DefinitionBody"]

    assert document["x-amazon-apigateway-binary-media-types"] == ["*/*"]
    assert {"get", "head"} <= set(document["paths"]["/dicomweb/studies"])


def test_schema_is_migrated_before_functions_use_it(application: Template) -> None:
    [(name, schema)] = resources(application, "Custom::Schema").items()

    assert schema["Properties"]["ServiceToken"] == {"Fn::GetAtt": ["Migrate", "Arn"]}
    assert len(schema["Properties"]["SchemaDigest"]) == 64
    for function in ("APIHandler", "Convert"):
        assert name in functions(application)[function]["DependsOn"]


def test_logs_are_encrypted_and_kept_as_configured(templates: Mapping[str, Template]) -> None:
    for part, template in templates.items():
        for name, group in resources(template, "AWS::Logs::LogGroup").items():
            assert group["Properties"]["RetentionInDays"] == 365, f"{part}/{name}"
            assert "KmsKeyId" in group["Properties"], f"{part}/{name}"


def test_package_holds_the_application_and_its_dependencies_only(package: zipfile.ZipFile) -> None:
    top = {name.partition("/")[0] for name in package.namelist()}

    assert {"app.py", "chalice", "chalicelib", "boto3", "pydicom", "pymysql"} <= top
    assert not top & {"cdk", "edge", "localstack", "stow_nlb", "tests", "docs", "aws_cdk", ".chalice", ".git", ".local"}
    assert [name for name in package.namelist() if "__pycache__" in name] == []


def test_package_stays_well_below_lambda_s_limits(package: zipfile.ZipFile) -> None:
    unpacked = sum(member.file_size for member in package.infolist())
    packed = sum(member.compress_size for member in package.infolist())

    assert unpacked < 100 * MIB  # of 250
    assert packed < 30 * MIB  # of 50 for a direct upload


def test_package_has_the_database_s_authorities_and_schema(package: zipfile.ZipFile) -> None:
    names = set(package.namelist())

    assert "chalicelib/adapters/mysql/rds_authorities.pem" in names
    assert "chalicelib/adapters/mysql/schema.sql" in names
