"""Runs the STOW service and the nginx in front of it, as the container does."""

import sys
import urllib.request
from collections.abc import Mapping
from string import Template

from cdk.project import PROJECT
from localstack.configuration import HOST, Layout
from localstack.parts.nginx import start_nginx
from localstack.processes import Supervisor, clean_environment

_TEMPLATE = PROJECT / "stow_nlb" / "nginx.conf"


def start_stow(supervisor: Supervisor, layout: Layout, ports: Mapping[str, int], settings: Mapping[str, str]) -> None:
    """Start both, and wait until the service answers through nginx.

    Raises
    ------
    HarnessError
        One of them ended, or did not answer in time.
    """
    service, proxy = ports["stow_service"], ports["stow_proxy"]
    supervisor.start(
        "stow",
        [sys.executable, "-m", "stow_nlb"],
        environment={
            **clean_environment(),
            **settings,
            "STOW_HOST": HOST,
            "STOW_PORT": str(service),
            "STOW_SHUTDOWN_TIMEOUT_SECONDS": "10",  # shorter than the time after which the harness kills it
            "PYTHONUNBUFFERED": "1",
        },
        directory=PROJECT,
        ready=lambda: _is_healthy(service),
    )
    directory = layout.run / "stow"
    text = Template(_TEMPLATE.read_text()).substitute(
        LISTEN=f"{HOST}:{proxy}", UPSTREAM=f"{HOST}:{service}", RUN_DIR=directory
    )
    start_nginx(supervisor, "stow-nginx", text, directory, ready=lambda: _is_healthy(proxy))


def _is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/health", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False
