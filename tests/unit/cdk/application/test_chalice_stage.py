"""The stage for Chalice that is written from the stacks' outputs."""

import json
from collections.abc import Mapping
from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber

from cdk.application.chalice_stage import StageError, main, make_stage
from cdk.project import committed_configuration
from chalicelib.settings import DatabaseTls, Settings

NAME = "archive"
OUTPUTS = {
    "storage": {
        "LandingBucketName": "landing-1",
        "StaticBucketName": "static-1",
        "LandingQueueName": "archive-landing",
        "LandingQueueArn": "arn:aws:sqs:eu-west-1:123456789012:archive-landing",
    },
    "records": {"RecordsTableName": "records-1", "RejectionsTableName": "rejections-1"},
    "index": {
        "DatabaseSecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:user",
        "DatabaseMasterSecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:master",
        "FunctionSubnetIds": "subnet-1,subnet-2",
        "FunctionSecurityGroupId": "sg-1",
    },
    "access": {
        "SearchRoleArn": "arn:aws:iam::123456789012:role/search",
        "ConvertRoleArn": "arn:aws:iam::123456789012:role/convert",
        "MigrateRoleArn": "arn:aws:iam::123456789012:role/migrate",
    },
    "edge": {"DicomwebRoot": "https://archive.example/dicomweb"},
}


def stubbed(outputs: Mapping[str, Mapping[str, str]]) -> boto3.client:
    """A client of CloudFormation with these stacks, each described once, in this order."""
    client = boto3.client("cloudformation", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    stubber = Stubber(client)
    for part, values in outputs.items():
        stubber.add_response(
            "describe_stacks",
            {
                "Stacks": [
                    {
                        "StackName": f"{NAME}-{part}",
                        "CreationTime": "2026-01-31T00:00:00Z",
                        "StackStatus": "UPDATE_COMPLETE",
                        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in values.items()],
                    }
                ]
            },
            {"StackName": f"{NAME}-{part}"},
        )
    stubber.add_client_error("describe_stacks", "ValidationError", "Stack with id x does not exist")
    stubber.activate()
    return client


ORDER = ("edge", "index", "storage", "records", "access")
ALL = {part: OUTPUTS[part] for part in ORDER}


def test_outputs_become_variables_roles_and_network() -> None:
    stage = make_stage(stubbed(ALL), NAME)
    environment = stage["environment_variables"]
    assert {
        name: environment[name] for name in environment if name not in ("DATABASE_TLS", "LANDING_RETRY_SECONDS")
    } == {
        "ARCHIVE_NAME": "archive",
        "DATABASE_SECRET_ID": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:user",
        "DICOMWEB_ROOT": "https://archive.example/dicomweb",
        "LANDING_BUCKET": "landing-1",
        "LANDING_QUEUE_NAME": "archive-landing",
        "RECORDS_TABLE": "records-1",
        "REJECTIONS_TABLE": "rejections-1",
        "STATIC_BUCKET": "static-1",
    }
    assert stage["subnet_ids"] == ["subnet-1", "subnet-2"]
    assert stage["security_group_ids"] == ["sg-1"]
    assert stage["manage_iam_role"] is False
    assert stage["iam_role_arn"] == "arn:aws:iam::123456789012:role/search"
    functions = stage["lambda_functions"]
    assert functions["convert"]["iam_role_arn"] == "arn:aws:iam::123456789012:role/convert"
    assert functions["migrate"]["iam_role_arn"] == "arn:aws:iam::123456789012:role/migrate"
    assert functions["migrate"]["environment_variables"] == {
        "DATABASE_MASTER_SECRET_ID": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:master"
    }


def test_the_variables_are_all_that_the_functions_must_be_told() -> None:
    stage = make_stage(stubbed(ALL), NAME)
    settings = Settings.from_environment(
        {**stage["environment_variables"], **stage["lambda_functions"]["migrate"]["environment_variables"]}
    )
    assert settings.archive_name == "archive"
    assert settings.database_tls is DatabaseTls.VERIFIED
    assert settings.database_master_secret_id == "arn:aws:secretsmanager:eu-west-1:123456789012:secret:master"


def test_the_local_stage_has_the_limits_of_a_deployed_one() -> None:
    committed = committed_configuration()
    deployed = make_stage(stubbed(ALL), NAME)["lambda_functions"]
    local = committed["stages"]["local"]["lambda_functions"]
    assert (committed["lambda_memory_size"], committed["lambda_timeout"]) == (
        deployed["api_handler"]["lambda_memory_size"],
        deployed["api_handler"]["lambda_timeout"],
    )
    for name in ("convert", "migrate"):
        assert local[name]["lambda_timeout"] == deployed[name]["lambda_timeout"]


def test_the_edge_is_not_asked_where_the_root_is_given() -> None:
    without_edge = {part: outputs for part, outputs in ALL.items() if part != "edge"}
    stage = make_stage(stubbed(without_edge), NAME, "https://other.example/dicomweb")
    assert stage["environment_variables"]["DICOMWEB_ROOT"] == "https://other.example/dicomweb"


def test_a_stack_that_is_not_there_is_named() -> None:
    with pytest.raises(
        StageError, match="there is no stack archive-records in this account and region: deploy it, or check --name"
    ):
        make_stage(stubbed({part: OUTPUTS[part] for part in ("edge", "index", "storage")}), NAME)


def test_an_output_that_is_not_there_is_named() -> None:
    with pytest.raises(StageError, match="the stack archive-records has no output RejectionsTableName"):
        make_stage(stubbed({**ALL, "records": {"RecordsTableName": "records-1"}}), NAME)


def test_the_stage_is_written_beside_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"version": "2.0", "app_name": "x", "stages": {"local": {"a": 1}, "prod": {"b": 2}}}))
    assert main(["--name", NAME, "--stage", "prod", "--config", str(config)], stubbed(ALL)) == 0
    written = json.loads(config.read_text())
    assert written["app_name"] == "x"
    assert written["stages"]["local"] == {"a": 1}
    assert written["stages"]["prod"] == make_stage(stubbed(ALL), NAME)
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]
    assert "chalice deploy --stage prod" in capsys.readouterr().out


def test_where_something_is_missing_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.json"
    config.write_text("{}")
    assert main(["--name", NAME, "--stage", "prod", "--config", str(config)], stubbed({})) == 1
    assert config.read_text() == "{}"
    assert capsys.readouterr().err.startswith("error: there is no stack archive-edge in this account and region")
