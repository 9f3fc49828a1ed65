"""Starts the harness's processes, records them for later commands, and stops these and no others.

Strategy: a process is identified by its id *and* the clock tick of its start: if the system has given the id to another
program since, that program is never signalled. Each process leads its own session: a Ctrl-C in the terminal reaches the
harness only, which then stops the processes in order.
"""

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from localstack.errors import HarnessError
from localstack.waiting import wait_until

_POLL_SECONDS = 0.02
_STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """One started process; `started` is in clock ticks since the machine's boot, `boot` is the id of that boot."""

    name: str
    pid: int
    started: int
    boot: str

    def is_alive(self) -> bool:
        """Whether this process, and not a later one with the same id, still runs."""
        return self.boot == _boot_id() and _start_tick(self.pid) == self.started


class Supervisor:
    """Starts and stops the processes of one archive.

    Parameters
    ----------
    records
        The file that lists the running processes.
    logs
        Directory of the log files, one for each process.
    """

    def __init__(self, records: Path, logs: Path) -> None:
        self._records = records
        self._logs = logs
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    def log(self, name: str) -> Path:
        """Return the log file of a process."""
        return self._logs / f"{name}.log"

    def recorded(self) -> list[ProcessRecord]:
        """Return all processes that were started and not stopped by the harness, in the order of their start."""
        if not self._records.exists():
            return []
        return [ProcessRecord(**record) for record in json.loads(self._records.read_text())]

    def alive(self) -> list[ProcessRecord]:
        """Return the recorded processes that still run."""
        return [record for record in self.recorded() if record.is_alive()]

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str],
        directory: Path,
        ready: Callable[[], bool],
        timeout_seconds: float = 60,
    ) -> None:
        """Start a process and wait until it is ready.

        Raises
        ------
        HarnessError
            It could not be started, ended, or was not ready in time; the error has its log.
        """
        log = self.log(name)
        with log.open("ab") as output:
            try:
                process = subprocess.Popen(
                    [str(part) for part in command],
                    env=dict(environment),
                    cwd=directory,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise HarnessError(f"{name} could not be started: {error}", log) from error
        started = _start_tick(process.pid)
        if started is not None:
            self._children[process.pid] = process
            self._write([*self.recorded(), ProcessRecord(name, process.pid, started, _boot_id())])

        def ready_or_gone() -> bool:
            if process.poll() is not None:
                raise HarnessError(f"{name} ended with status {process.returncode}", log)
            return ready()

        try:
            wait_until(ready_or_gone, f"{name} is ready", timeout_seconds, poll_seconds=_POLL_SECONDS)
        except HarnessError as error:
            raise HarnessError(error.message, log) from None

    def wait_for_an_end(self) -> ProcessRecord | None:
        """Block until a process ends and return it, or return None if another command has stopped them all."""
        while records := self.recorded():
            for record in records:
                if not record.is_alive():
                    return record
            time.sleep(0.5)
        return None

    def stop_all(self) -> list[str]:
        """Stop the recorded processes, the last one first; returns the names of those that were running.

        Each receives a SIGTERM and has 30 s to save its state. Then it is killed if it still runs, with all processes
        of its session and all its descendants.
        """
        stopped = []
        for record in reversed(self.recorded()):
            if record.is_alive():
                stopped.append(record.name)
            self._stop(record)
        self._write([])
        for child in self._children.values():
            child.wait()  # all have ended; without this they would remain as zombies
        self._children.clear()
        return stopped

    def _stop(self, record: ProcessRecord) -> None:
        family = _session(record)
        if record.is_alive():
            with contextlib.suppress(psutil.NoSuchProcess):
                leader = psutil.Process(record.pid)
                family += leader.children(recursive=True)  # some may have sessions of their own
                leader.terminate()
            self._wait(record)
        for member in family:
            # psutil compares start times before it signals, as this module does.
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        wait_until(
            lambda: all(map(_has_ended, family)),
            f"{record.name} has ended",
            _STOP_SECONDS,
            poll_seconds=_POLL_SECONDS,
        )

    def _wait(self, record: ProcessRecord) -> None:
        deadline = time.monotonic() + _STOP_SECONDS
        while record.is_alive() and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)

    def _write(self, records: Sequence[ProcessRecord]) -> None:
        replacement = self._records.with_suffix(".new")
        replacement.write_text(json.dumps([asdict(record) for record in records], indent=2) + "\n")
        replacement.replace(self._records)


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _start_tick(pid: int) -> int | None:
    """Return the clock tick of a process's start, or None if the process does not exist or is a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field, the program's name in parentheses, may hold spaces (proc(5)).
    fields = text[text.rindex(")") + 2 :].split()
    return None if fields[0] == "Z" else int(fields[19])


def _session(record: ProcessRecord) -> list[psutil.Process]:
    """Return the processes of the session that the recorded one led, even if it has died before them."""
    if record.boot != _boot_id() or _start_tick(record.pid) not in (record.started, None):
        return []
    members = []
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getsid(process.pid) == record.pid:
                members.append(process)
    return members


def _has_ended(process: psutil.Process) -> bool:
    """Whether a process has ended; it may remain as a zombie until its parent reaps it."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def clean_environment() -> dict[str, str]:
    """Return the user's environment without the variables that would lead a process to a real AWS account."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
