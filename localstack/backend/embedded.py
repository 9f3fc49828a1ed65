"""The default backend: emulator, MariaDB and the STOW service as processes of this machine."""

from collections.abc import Mapping

from localstack.configuration import Configuration
from localstack.ministack.emulator import start_emulator
from localstack.parts.mariadb import Database, start_mariadb
from localstack.parts.stow import start_stow
from localstack.processes import Supervisor


class EmbeddedBackend:
    """The processes of one archive.

    Parameters
    ----------
    configuration
        Their state directory, names and limits.
    ports
        The port of each listener.
    supervisor
        Starts and stops them.
    """

    aws_title = "Emulator of AWS"
    database_title = "MariaDB"

    def __init__(self, configuration: Configuration, ports: Mapping[str, int], supervisor: Supervisor) -> None:
        self._layout = configuration.layout
        self._region = configuration.region
        self._ports = ports
        self._supervisor = supervisor

    def check(self) -> None:
        """Do nothing: install.py has installed all programs."""

    def start_aws(self) -> None:
        """Start the emulator and wait until it answers."""
        ports = self._ports
        start_emulator(self._supervisor, self._layout, ports["emulator"], self._region, ports["database"])

    def start_database(self, database: Database) -> None:
        """Start MariaDB with its one user, and wait until this user can log in."""
        start_mariadb(self._supervisor, self._layout, database)

    def start_stow(self, settings: Mapping[str, str]) -> None:
        """Start the STOW service and the nginx in front of it."""
        start_stow(self._supervisor, self._layout, self._ports, settings)

    def stop(self) -> list[str]:
        """Return an empty list: the supervisor stops all processes."""
        return []
