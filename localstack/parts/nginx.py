"""Runs nginx in the foreground of a process of its own, with a generated configuration."""

import shutil
from collections.abc import Callable
from pathlib import Path

from localstack.processes import Supervisor, clean_environment


def start_nginx(supervisor: Supervisor, name: str, text: str, directory: Path, ready: Callable[[], bool]) -> None:
    """Write the configuration (it says ``daemon off``), start nginx with it and wait until it is ready."""
    directory.mkdir(parents=True, exist_ok=True)
    configuration = directory / "nginx.conf"
    configuration.write_text(text)
    binary = shutil.which("nginx") or "/usr/sbin/nginx"  # not on every user's PATH
    supervisor.start(
        name,
        # -e: until the configuration is read, errors would go to /var/log.
        [binary, "-e", "stderr", "-p", directory, "-c", configuration],
        environment=clean_environment(),
        directory=directory,
        ready=ready,
    )
