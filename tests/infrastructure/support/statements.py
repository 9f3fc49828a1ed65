"""All IAM statements of a template: in policies, roles and policies of resources."""

import json
from collections.abc import Iterator
from typing import Any

_IDENTITY = {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}
_RESOURCE = {
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::SecretsManager::ResourcePolicy": "ResourcePolicy",
}


def of_identities(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Statements of roles, each with the logical id of the resource that contains it."""
    for name, resource in template["Resources"].items():
        if resource["Type"] in _IDENTITY:
            documents = [resource["Properties"]["PolicyDocument"]]
        elif resource["Type"] == "AWS::IAM::Role":
            documents = [policy["PolicyDocument"] for policy in resource["Properties"].get("Policies", [])]
        else:
            continue
        for document in documents:
            for statement in document["Statement"]:
                yield name, statement


def of_resources(template: dict[str, Any], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Statements of the policies of resources of one type, with their logical ids."""
    for name, resource in template["Resources"].items():
        if resource["Type"] == kind:
            for statement in resource["Properties"][_RESOURCE[kind]]["Statement"]:
                yield name, statement


def as_list(value: Any) -> list[Any]:
    """The values as a list; IAM writes a list of one value as that value."""
    return value if isinstance(value, list) else [value]


def names_everybody(statement: dict[str, Any]) -> bool:
    """Whether the statement applies to any principal."""
    return "*" in json.dumps(statement.get("Principal", ""))
