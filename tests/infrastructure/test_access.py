"""Roles of functions and tasks: they allow the calls that the code makes, on named resources."""

import json
from collections.abc import Mapping

import pytest

from cdk.application.access import APP_NAME
from tests.infrastructure.support.statements import as_list, of_identities
from tests.infrastructure.support.synthesis import NAME, Template, resources

DATA = ("s3:", "dynamodb:", "secretsmanager:", "sqs:", "kms:")
PARTS = ("access", "store")


def actions_of(templates: Mapping[str, Template], role: str, service: str) -> set[str]:
    return {
        action.removeprefix(service)
        for name, statement in of_identities(templates["access"])
        if name.startswith(role)
        for action in as_list(statement["Action"])
        if action.startswith(service)
    }


@pytest.mark.parametrize("part", PARTS)
def test_no_action_on_data_has_a_wildcard(templates: Mapping[str, Template], part: str) -> None:
    statements = list(of_identities(templates[part]))

    assert statements
    for name, statement in statements:
        for action in as_list(statement["Action"]):
            assert "*" not in action or not action.startswith(DATA), f"{name}: {action}"


@pytest.mark.parametrize("part", PARTS)
def test_no_action_on_data_is_allowed_on_everything(templates: Mapping[str, Template], part: str) -> None:
    for name, statement in of_identities(templates[part]):
        if any(action.startswith(DATA) for action in as_list(statement["Action"])):
            for resource in as_list(statement["Resource"]):
                # All objects of a bucket are allowed, but no other resource may have a wildcard.
                assert resource != "*", name
                assert "*" not in json.dumps(resource) or "/*" in json.dumps(resource), name


@pytest.mark.parametrize("role", ["Search", "Convert", "Migrate"])
def test_no_function_can_delete_an_image_or_a_record(templates: Mapping[str, Template], role: str) -> None:
    for service in ("s3:", "dynamodb:"):
        assert not {action for action in actions_of(templates, role, service) if "Delete" in action}


def test_search_reads_records_and_writes_none(templates: Mapping[str, Template]) -> None:
    assert actions_of(templates, "Search", "dynamodb:") == {"BatchGetItem", "GetItem", "Query"}
    assert actions_of(templates, "Search", "sqs:") == set()


def test_convert_takes_messages_off_the_queue(templates: Mapping[str, Template]) -> None:
    assert {"ReceiveMessage", "DeleteMessage", "GetQueueUrl"} <= actions_of(templates, "Convert", "sqs:")


def test_only_the_migration_reads_the_administrator_s_password(templates: Mapping[str, Template]) -> None:
    secrets = {
        role: {
            json.dumps(resource)
            for name, statement in of_identities(templates["access"])
            if name.startswith(role) and "secretsmanager:GetSecretValue" in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        }
        for role in ("Search", "Convert", "Migrate")
    }

    assert secrets["Search"] == secrets["Convert"]
    assert len(secrets["Search"]) == 1
    assert len(secrets["Migrate"]) == 2
    assert secrets["Search"] < secrets["Migrate"]


def test_migration_touches_no_image_and_no_record(templates: Mapping[str, Template]) -> None:
    assert actions_of(templates, "Migrate", "s3:") == set()
    assert actions_of(templates, "Migrate", "dynamodb:") == set()


@pytest.mark.parametrize("role", ["Search", "Convert", "Migrate"])
def test_no_function_makes_a_log_group_again_that_its_stack_has_removed(
    templates: Mapping[str, Template], role: str
) -> None:
    """Its last log lines arrive later. A group that they created would make the next deployment fail."""
    groups = {
        group["Properties"]["LogGroupName"]
        for name, group in resources(templates["application"], "AWS::Logs::LogGroup").items()
        if not name.startswith("Access")
    }
    making = [
        statement
        for name, statement in of_identities(templates["access"])
        if name.startswith(role) and "logs:CreateLogGroup" in as_list(statement["Action"])
    ]
    denied = [json.dumps(statement["Resource"]) for statement in making if statement["Effect"] == "Deny"]
    allowed = [json.dumps(statement["Resource"]) for statement in making if statement["Effect"] == "Allow"]

    assert len(groups) == 3
    assert all(f"{group}*" in "".join(denied) for group in groups)
    # `chalice deploy` creates no groups, so functions that it deploys create them.
    assert [f"/aws/lambda/{APP_NAME}-*" in resource and NAME not in resource for resource in allowed] == [True]


def test_only_functions_may_take_their_roles(templates: Mapping[str, Template]) -> None:
    roles = resources(templates["access"], "AWS::IAM::Role").values()

    assert len(roles) == 3
    for role in roles:
        [statement] = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
