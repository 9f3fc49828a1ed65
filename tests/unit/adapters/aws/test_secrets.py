"""Secrets as RDS keeps them, and the faults of the service that holds them."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from chalicelib.adapters.aws.secrets import Secrets
from chalicelib.errors import ServiceFaultError


def stubbed() -> tuple[Any, Stubber]:
    client = boto3.client(
        "secretsmanager", region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    return client, Stubber(client)


def test_the_text_of_a_secret_is_a_json_object() -> None:
    client, stub = stubbed()
    stub.add_response("get_secret_value", {"SecretString": '{"port": 3306}'}, {"SecretId": "database"})
    with stub:
        assert Secrets(client).read("database") == {"port": 3306}


def test_a_fault_of_the_service_is_a_service_fault() -> None:
    client, stub = stubbed()
    stub.add_client_error("get_secret_value", "InternalServiceError")
    with stub, pytest.raises(ServiceFaultError, match="Secrets Manager"):
        Secrets(client).read("database")
