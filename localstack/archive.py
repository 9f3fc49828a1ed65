"""The life of one archive on this machine: whether it runs, its start, its addresses, and its end."""

import json
from pathlib import Path

from localstack.configuration import Configuration
from localstack.errors import HarnessError
from localstack.parts.urls import Urls
from localstack.processes import Supervisor
from localstack.startup import choose_backend, start_parts


class Archive:
    """One archive on this machine.

    Parameters
    ----------
    configuration
        Its state directory, names and limits.
    """

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        layout = configuration.layout
        layout.create()
        self.supervisor = Supervisor(layout.processes, layout.logs)

    def start(self) -> Urls:
        """Start the archive unless it runs, and return when all of its parts answer.

        Raises
        ------
        HarnessError
            A step failed; everything that was started has been stopped again.
        """
        if self.is_running():
            return self.urls()
        self.stop()  # ends what an interrupted command left running
        try:
            urls = start_parts(self.configuration, self.supervisor)
        except BaseException:
            self.stop()
            raise
        self._urls_file.write_text(urls.to_json() + "\n")
        return urls

    def is_running(self) -> bool:
        """Whether the last start was completed and all its processes still run."""
        recorded = self.supervisor.recorded()
        return bool(recorded) and self._urls_file.exists() and len(self.supervisor.alive()) == len(recorded)

    def stop(self) -> list[str]:
        """Stop all parts; returns the names of those that were running."""
        self._urls_file.unlink(missing_ok=True)
        ports = self.configuration.layout.ports
        stopped = self.supervisor.stop_all()
        if ports.exists():
            stopped += choose_backend(self.configuration, json.loads(ports.read_text()), self.supervisor).stop()
        return stopped

    def urls(self) -> Urls:
        """Return the addresses of the running archive.

        Raises
        ------
        HarnessError
            The archive is not running.
        """
        if not self.is_running():
            start = self.configuration.make_command("start")
            raise HarnessError(
                f"no archive is running in {self.configuration.layout.state}: `{start}` starts it "
                f"(STATE_DIR and DEPLOY choose another)"
            )
        return Urls.from_json(self._urls_file.read_text())

    @property
    def _urls_file(self) -> Path:
        return self.configuration.layout.run / "urls.json"
