"""Runs nginx in the foreground of a process of its own, with a generated configuration."""

import shutil
from collections.abc import Callable
from pathlib import Path

from localstack.errors import HarnessError
from localstack.processes import Supervisor, clean_environment


def nginx_program() -> str | None:
    """Return the path of nginx, or None if it is not installed."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")  # not on every user's PATH


def start_nginx(supervisor: Supervisor, name: str, text: str, directory: Path, ready: Callable[[], bool]) -> None:
    """Write the configuration, start nginx with it and wait until it is ready.

    Parameters
    ----------
    text
        The configuration; it must contain ``daemon off``.

    Raises
    ------
    HarnessError
        nginx is not installed, ended, or was not ready in time.
    """
    program = nginx_program()
    if program is None:
        raise HarnessError("nginx is not installed")
    directory.mkdir(parents=True, exist_ok=True)
    configuration = directory / "nginx.conf"
    configuration.write_text(text)
    supervisor.start(
        name,
        # -e: otherwise nginx reports errors in /var/log until it has read the configuration.
        [program, "-e", "stderr", "-p", directory, "-c", configuration],
        environment=clean_environment(),
        directory=directory,
        ready=ready,
    )
