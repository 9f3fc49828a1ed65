"""The emulator of S3, DynamoDB and SQS for contract tests, separate from that of `make run`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from chalicelib.adapters.aws.clients import make_client
from localstack.configuration import Layout
from localstack.listeners import choose_ports
from localstack.ministack.emulator import start_emulator
from localstack.parts.aws import EmulatedAws
from localstack.processes import Supervisor


@contextmanager
def running_emulator(directory: Path) -> Iterator[EmulatedAws]:
    """Start an emulator with its state in `directory`; it ends with the block."""
    layout = Layout(directory)
    layout.create()
    supervisor = Supervisor(layout.processes, layout.logs)
    port = choose_ports(layout.ports, {})["emulator"]
    try:
        start_emulator(supervisor, layout, port, "us-east-1")
        yield EmulatedAws(port, "us-east-1")
    finally:
        supervisor.stop_all()


def archive_client(aws: EmulatedAws, service: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The archive's own client of a service, led to the emulator by environment variables until the test ends."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    # boto3's default session keeps the credentials of whoever made the first client of this process.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    return make_client(service)
