"""An emulator of its own for the contract tests of S3, DynamoDB and SQS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localstack.configuration import Layout
from localstack.listeners import choose_ports
from localstack.ministack.emulator import start_emulator
from localstack.parts.aws import EmulatedAws
from localstack.processes import Supervisor


@contextmanager
def running_emulator(directory: Path) -> Iterator[EmulatedAws]:
    """Start one with its state in `directory`; it ends with the block."""
    layout = Layout(directory)
    layout.create()
    supervisor = Supervisor(layout.processes, layout.logs)
    port = choose_ports(layout.ports, {})["emulator"]
    try:
        start_emulator(supervisor, layout, port, "us-east-1")
        yield EmulatedAws(port, "us-east-1")
    finally:
        supervisor.stop_all()
