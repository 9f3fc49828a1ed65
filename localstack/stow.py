"""Runs the STOW service and the nginx before it, as the container does."""

import sys
import urllib.request
from collections.abc import Mapping

from localstack.configuration import HOST, PROJECT, Layout
from localstack.ports import accepts_connections
from localstack.processes import Supervisor, clean_environment


def start_stow(
    supervisor: Supervisor, layout: Layout, ports: Mapping[str, int], settings: Mapping[str, str]
) -> None:
    """Start both, and wait until the service answers through nginx."""
    port = ports["stow_proxy"]
    supervisor.start(
        "stow",
        [sys.executable, "-m", "stow_nlb"],
        environment={
            **clean_environment(),
            **settings,
            "STOW_HOST": HOST,
            "STOW_PORT": str(port),
            "STOW_SHUTDOWN_TIMEOUT_SECONDS": "10",
            "PYTHONUNBUFFERED": "1",
        },
        directory=PROJECT,
        ready=lambda: accepts_connections(port) and _is_healthy(port),
    )


def _is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/health", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False
