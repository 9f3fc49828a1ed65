"""The life of the stacks that the CDK deploys: use, update, the application alone by `chalice deploy`, destruction."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from localstack.archive import Archive
from localstack.deployment.with_cdk import AUTHORITY, NAME, CdkDeployment
from localstack.parts.aws import EmulatedAws
from localstack.processes import clean_environment
from tests.e2e.support.backend import Backend
from tests.e2e.support.clients import store
from tests.e2e.support.private_archive import private_archive
from tests.support.builders import make_instance

PARTS = {
    "storage", "records", "index", "access", "application", "store", "firewall", "viewer", "edge", "operations",
}  # fmt: skip
STUDY = "2.25.4711"


@pytest.fixture(scope="module")
def own():
    with private_archive("test-cdk-life", deployment="cdk") as archive_and_urls:
        yield archive_and_urls


@pytest.fixture(scope="module")
def archive(own):
    return own[1]


@pytest.fixture(scope="module")
def aws(archive) -> EmulatedAws:
    return archive.aws()


@pytest.fixture(scope="module")
def deployment(own, aws) -> CdkDeployment:
    control, urls = own
    assert isinstance(control, Archive)
    return CdkDeployment(aws, control.configuration, urls.dicomweb)


@pytest.fixture(scope="module")
def stored(archive) -> str:
    """Store a study through the deployed archive; returns its UID when a search finds it."""
    assert store(archive.stow, make_instance(StudyInstanceUID=STUDY)).status == 200
    Backend(archive).wait_until_searchable(STUDY, 1)
    return STUDY


def stacks(aws: EmulatedAws) -> dict[str, str]:
    """Return the status of each stack of the archive."""
    pages = aws.client("cloudformation").get_paginator("describe_stacks").paginate()
    return {
        stack["StackName"].removeprefix(f"{NAME}-"): stack["StackStatus"]
        for page in pages
        for stack in page["Stacks"]
        if stack["StackName"].startswith(f"{NAME}-")
    }


def run(command: list[str], directory: Path, environment: dict[str, str]) -> str:
    result = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_every_stack_is_there_and_the_archive_works(aws, stored) -> None:
    assert stacks(aws) == dict.fromkeys(PARTS, "CREATE_COMPLETE")


def test_deploying_again_changes_nothing(aws, deployment, stored) -> None:
    deployment.deploy()
    assert stacks(aws) == dict.fromkeys(PARTS, "CREATE_COMPLETE")


def test_the_application_alone_is_deployed_by_chalice_with_names_from_the_stacks(
    aws, archive, deployment, stored
) -> None:
    binaries = Path(sys.executable).parent
    inherited = clean_environment()
    environment = {**inherited, **aws.environment(), "PATH": f"{binaries}{os.pathsep}{inherited['PATH']}"}
    said = run(
        [
            *(sys.executable, "-m", "cdk.application.chalice_stage", "--name", NAME, "--stage", "prod"),
            *("--dicomweb-root", archive.dicomweb, "--database-ca-file", AUTHORITY),
        ],
        deployment.sources,
        environment,
    )
    assert "stage prod written" in said
    run([str(binaries / "chalice"), "deploy", "--stage", "prod"], deployment.sources, environment)
    functions = {function["FunctionName"] for function in aws.client("lambda").list_functions()["Functions"]}
    assert {"static-dicomweb-prod", "static-dicomweb-prod-convert", "static-dicomweb-prod-migrate"} <= functions
    deployed = json.loads((deployment.sources / ".chalice" / "deployed" / "prod.json").read_text())
    (api,) = [resource for resource in deployed["resources"] if resource["resource_type"] == "rest_api"]
    found = search_api(aws, api["rest_api_id"])
    assert [hit["0020000D"]["Value"] for hit in found] == [[STUDY]]


def search_api(aws: EmulatedAws, api_id: str) -> list[dict[str, dict[str, list[str]]]]:
    from tests.e2e.support.clients import search

    return search(f"{aws.endpoint}/restapis/{api_id}/api/_user_request_/dicomweb/studies", StudyInstanceUID=STUDY)


def test_destroying_leaves_no_stack_and_all_data(aws, archive, deployment, stored) -> None:
    deployment.destroy()
    assert stacks(aws) == {}
    s3, dynamodb = aws.client("s3"), aws.client("dynamodb")
    assert s3.list_objects_v2(Bucket=archive.landing_bucket)["KeyCount"] == 1
    assert s3.list_objects_v2(Bucket=archive.static_bucket)["KeyCount"] >= 3
    assert dynamodb.scan(TableName=archive.records_table, ConsistentRead=True)["Count"] >= 3
    with pytest.raises(ClientError):
        aws.client("sqs").get_queue_url(QueueName=archive.landing_queue)
