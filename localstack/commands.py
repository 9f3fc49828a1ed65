"""Runs commands that end by themselves, with their output in a log file."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from localstack.errors import HarnessError


def run_logged(
    name: str,
    command: Sequence[str],
    log: Path,
    *,
    timeout_seconds: float,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> None:
    """Run a command to its end and append its output to a log.

    Parameters
    ----------
    name
        Name of the command in messages.
    environment
        All environment variables of the command; by default, those of this process.

    Raises
    ------
    HarnessError
        The command could not be started, failed, or took too long; the error has the log.
    """
    with log.open("ab") as output:
        try:
            result = subprocess.run(
                command,
                cwd=directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=timeout_seconds,
                check=False,
            )
        except OSError as error:
            raise HarnessError(f"{name} could not be started: {error}", log) from error
        except subprocess.TimeoutExpired as error:
            raise HarnessError(f"{name} did not end within {timeout_seconds:.0f} s", log) from error
    if result.returncode:
        raise HarnessError(f"{name} ended with status {result.returncode}", log)
