"""Clients of the emulated AWS; the only place that knows its endpoint and its invented credentials."""

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from localstack_client.session import Session as LocalStackSession

from localstack.configuration import HOST


@dataclass(frozen=True, slots=True)
class EmulatedAws:
    """An emulator on this machine.

    Parameters
    ----------
    port
        The port that it listens on.
    region
        The one region that is used.
    localstack
        Whether it is LocalStack, which has its own client library.
    """

    port: int
    region: str
    localstack: bool = False

    @property
    def endpoint(self) -> str:
        """URL of all services."""
        return f"http://{HOST}:{self.port}"

    def environment(self) -> dict[str, str]:
        """Return the variables that lead boto3, the AWS command line and Chalice to the emulator."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
        }

    def client(self, service: str) -> Any:
        """Return a client of one service."""
        if self.localstack:
            session = LocalStackSession(
                aws_access_key_id="test",
                aws_secret_access_key="test",  # noqa: S106 - the emulator requires some and accepts any
                region_name=self.region,
                localstack_host=f"{HOST}:{self.port}",
            )
            return session.client(service)
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - as above
            config=Config(max_pool_connections=16),
        )
