"""Secrets in AWS Secrets Manager."""

import json
from collections.abc import Mapping
from typing import Any

from chalicelib.adapters.aws.clients import service_faults


class Secrets:
    """Reads secrets whose text is a JSON object, such as those of RDS.

    Parameters
    ----------
    client
        boto3 client of Secrets Manager.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self, secret_id: str) -> Mapping[str, Any]:
        """Read the current version of a secret, by its name or ARN.

        Raises
        ------
        ServiceFaultError
            Secrets Manager failed, or the secret does not exist.
        """
        with service_faults("Secrets Manager"):
            answer = self._client.get_secret_value(SecretId=secret_id)
        secret: Mapping[str, Any] = json.loads(answer["SecretString"])
        return secret
