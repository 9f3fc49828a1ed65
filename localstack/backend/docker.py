"""BACKEND=localstack: LocalStack, MySQL and the STOW service in Docker, by docker-compose.yml."""

import hashlib
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import docker
from docker.errors import DockerException

from localstack.commands import run_logged
from localstack.configuration import Configuration
from localstack.errors import HarnessError
from localstack.parts.mariadb import Database
from localstack.processes import clean_environment

_COMPOSE_FILE = Path(__file__).with_name("docker-compose.yml")
_TIMEOUT_SECONDS = 1200  # images are pulled and built the first time


class DockerBackend:
    """The containers of one archive.

    Parameters
    ----------
    configuration
        Settings of the archive; the name of the compose project follows from its state directory.
    ports
        The port of each listener, published on the loopback interface.
    """

    aws_title = "LocalStack in Docker"
    database_title = "MySQL in Docker"

    def __init__(self, configuration: Configuration, ports: Mapping[str, int]) -> None:
        self._log = configuration.layout.logs / "docker.log"
        state = str(configuration.layout.state).encode()
        self._environment = {
            **clean_environment(),
            "COMPOSE_PROJECT_NAME": f"dicomweb-{hashlib.sha256(state).hexdigest()[:8]}",
            "AWS_REGION": configuration.region,
            "EMULATOR_PORT": str(ports["emulator"]),
            "DATABASE_PORT": str(ports["database"]),
            "STOW_PROXY_PORT": str(ports["stow_proxy"]),
        }

    def check(self) -> None:
        """Check that a Docker engine and its compose command are available.

        Raises
        ------
        HarnessError
            One of them is missing; the message says which.
        """
        try:
            docker.from_env(timeout=10).ping()
        except DockerException as error:
            raise HarnessError(
                f"BACKEND=localstack needs a Docker engine, and none answers here ({error}). "
                f"Without BACKEND, the archive runs without Docker."
            ) from error
        has_compose = shutil.which("docker") and not (
            subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode
        )
        if not has_compose:
            raise HarnessError("BACKEND=localstack needs Docker's compose plugin (`docker compose`)")

    def start_aws(self) -> None:
        """Start LocalStack and wait until it answers."""
        self._compose("up", "--detach", "--wait", "localstack")

    def start_database(self, database: Database) -> None:
        """Start MySQL with its one user, and wait until this user can log in."""
        self._environment |= {
            "DATABASE_NAME": database.name,
            "DATABASE_USER": database.user,
            "DATABASE_PASSWORD": database.password,
        }
        self._compose("up", "--detach", "--wait", "mysql")

    def start_stow(self, settings: Mapping[str, str]) -> None:
        """Build the STOW service's image, and start it."""
        self._environment |= settings
        self._compose("up", "--detach", "--wait", "--build", "stow")

    def stop(self) -> list[str]:
        """Remove the containers; returns the names of those that were running."""
        try:
            client = docker.from_env(timeout=10)
        except DockerException:
            return []
        label = f"com.docker.compose.project={self._environment['COMPOSE_PROJECT_NAME']}"
        names = [container.name for container in client.containers.list(filters={"label": label})]
        self._compose("down", "--volumes", "--timeout", "10")
        return names

    def _compose(self, *arguments: str) -> None:
        run_logged(
            f"docker compose {' '.join(arguments)}",
            ["docker", "compose", "--file", str(_COMPOSE_FILE), *arguments],
            self._log,
            timeout_seconds=_TIMEOUT_SECONDS,
            environment=self._environment,
        )
