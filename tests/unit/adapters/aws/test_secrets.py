"""Secrets as RDS keeps them, and the faults of the service that holds them."""

import pytest

from chalicelib.adapters.aws.secrets import Secrets
from chalicelib.errors import ServiceFaultError
from tests.support.aws_stubs import stubbed


def test_the_text_of_a_secret_is_a_json_object() -> None:
    with stubbed("secretsmanager") as stub:
        stub.add_response("get_secret_value", {"SecretString": '{"port": 3306}'}, {"SecretId": "database"})
        assert Secrets(stub.client).read("database") == {"port": 3306}


def test_a_fault_of_the_service_is_a_service_fault() -> None:
    with stubbed("secretsmanager") as stub:
        stub.add_client_error("get_secret_value", "InternalServiceError")
        with pytest.raises(ServiceFaultError, match="Secrets Manager"):
            Secrets(stub.client).read("database")
