"""Settings of the harness: state directory, ports, and the names and limits of the resources that it creates."""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cdk.configuration.limits import CONVERT_ATTEMPTS, CONVERT_TIMEOUT_SECONDS
from cdk.project import PROJECT
from edge.viewer_files import CACHE
from localstack.errors import HarnessError

HOST = "127.0.0.1"
"""All servers listen on this address only."""

PORTS = {
    "edge": "EDGE_PORT",
    "edge_origin": "EDGE_ORIGIN_PORT",
    "emulator": "EMULATOR_PORT",
    "database": "DATABASE_PORT",
    "stow_proxy": "STOW_PROXY_PORT",
    "stow_service": "STOW_PORT",
}
"""All listeners, and the variable that sets the port of each."""

BACKENDS = ("embedded", "localstack")

DEPLOYMENTS = ("chalice", "cdk")
"""Ways to create the archive's AWS resources: by the harness with `chalice deploy`, or by the CDK application."""

_LARGEST_PORT = 65_535
_STATE = {"chalice": ".local/archive", "cdk": ".local/archive-cdk"}


@dataclass(frozen=True, slots=True)
class Layout:
    """The directories and files of one archive on this machine."""

    state: Path

    @property
    def data(self) -> Path:
        """Objects, tables and the database."""
        return self.state / "data"

    @property
    def logs(self) -> Path:
        """One log file for each process and for the deployment."""
        return self.state / "log"

    @property
    def run(self) -> Path:
        """Generated configuration, sockets and the list of processes."""
        return self.state / "run"

    @property
    def app(self) -> Path:
        """The copy of the project that is deployed, with Chalice's own records and package cache."""
        return self.state / "app"

    @property
    def ports(self) -> Path:
        """The file of the ports, which were chosen at the first start."""
        return self.state / "ports.json"

    @property
    def processes(self) -> Path:
        """The list of running processes."""
        return self.run / "processes.json"

    @property
    def cache(self) -> Path:
        """Downloads, which all archives of this project share; `make clean` keeps them."""
        return CACHE

    def create(self) -> None:
        """Create the directories.

        Raises
        ------
        HarnessError
            One of them cannot be created or written.
        """
        for directory in (self.data, self.logs, self.run, self.app, self.cache):
            try:
                directory.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise HarnessError(
                    f"the directory {directory} cannot be created ({error.strerror}); "
                    f"STATE_DIR names the state directory of an archive"
                ) from error
            if not os.access(directory, os.W_OK):
                raise HarnessError(
                    f"the directory {directory} is not writable for this user; "
                    f"STATE_DIR names the state directory of an archive"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Settings of one archive.

    `visibility_timeout_seconds` is how long a message of a failed or hanging conversion stays hidden; it must
    be at least the convert function's time-out, or a running conversion is started a second time.
    """

    layout: Layout
    backend: str = "embedded"
    deployment: str = "chalice"
    requested_ports: Mapping[str, int] = field(default_factory=dict)
    stage: str = "local"
    region: str = "us-east-1"
    landing_bucket: str = "landing"
    static_bucket: str = "static"
    records_table: str = "records"
    rejections_table: str = "rejections"
    landing_queue: str = "landing"
    database_secret: str = "archive/database"  # noqa: S105 - its name, not its value
    database_name: str = "archive"
    database_user: str = "archive"
    function_timeout_seconds: int = CONVERT_TIMEOUT_SECONDS
    visibility_timeout_seconds: int = 330
    max_receive_count: int = CONVERT_ATTEMPTS
    sample: bool = True

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Configuration":
        """Read STATE_DIR, BACKEND, DEPLOY, AWS_REGION, SAMPLE and the port and time-out variables.

        Raises
        ------
        HarnessError
            A variable has a value that is not allowed; the message names the variable.
        """
        env = os.environ if environment is None else environment
        backend = _one_of(env, "BACKEND", BACKENDS)
        deployment = _one_of(env, "DEPLOY", DEPLOYMENTS)
        if (backend, deployment) == ("localstack", "cdk"):
            raise HarnessError(
                "DEPLOY=cdk works with BACKEND=embedded only: LocalStack's free edition has no RDS and no ECS"
            )
        function_timeout_seconds = _positive_integer(env, "FUNCTION_TIMEOUT_SECONDS", CONVERT_TIMEOUT_SECONDS)
        return cls(
            layout=Layout((PROJECT / (env.get("STATE_DIR") or _state_directory(deployment))).resolve()),
            backend=backend,
            deployment=deployment,
            requested_ports={name: _port(env, variable) for name, variable in PORTS.items() if env.get(variable)},
            region=env.get("AWS_REGION") or "us-east-1",
            function_timeout_seconds=function_timeout_seconds,
            visibility_timeout_seconds=_positive_integer(
                env, "VISIBILITY_TIMEOUT_SECONDS", function_timeout_seconds + 30
            ),
            sample=env.get("SAMPLE", "1") not in ("0", "no", "false"),
        )

    def make_command(self, target: str) -> str:
        """Return the command for a target of `make`, with the variables that lead it to this archive."""
        variables = []
        if self.layout.state != _state_directory(self.deployment):
            variables.append(f"STATE_DIR={shlex.quote(str(self.layout.state))}")
        if self.backend != BACKENDS[0]:
            variables.append(f"BACKEND={self.backend}")
        if self.deployment != DEPLOYMENTS[0]:
            variables.append(f"DEPLOY={self.deployment}")
        return " ".join(["make", target, *variables])


def _state_directory(deployment: str) -> Path:
    return (PROJECT / _STATE[deployment]).resolve()


def _one_of(environment: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """Return the value of a variable; the first choice is the default."""
    choice = environment.get(name) or choices[0]
    if choice not in choices:
        raise HarnessError(f"{name} must be one of {', '.join(choices)}; it is {choice!r}")
    return choice


def _positive_integer(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name)
    if not text:
        return default
    if not text.isdecimal() or int(text) == 0:
        raise HarnessError(f"{name} must be a positive whole number; it is {text!r}")
    return int(text)


def _port(environment: Mapping[str, str], name: str) -> int:
    port = _positive_integer(environment, name, 0)
    if port > _LARGEST_PORT:
        raise HarnessError(f"{name} must be a port number, at most {_LARGEST_PORT}; it is {port}")
    return port
