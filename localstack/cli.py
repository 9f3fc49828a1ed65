"""Command line of the harness: run, start, urls, stop, clean."""

import argparse
import fcntl
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from localstack.archive import Archive
from localstack.configuration import Configuration, Layout
from localstack.errors import HarnessError
from localstack.parts.urls import Urls

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m localstack", description=__doc__)
    parser.add_argument("command", choices=_COMMANDS)
    command = parser.parse_args(arguments).command
    for number in _SIGNALS:
        signal.signal(number, _interrupt)
    try:
        archive = Archive(Configuration.from_environment())
        return _COMMANDS[command](archive)
    except KeyboardInterrupt:
        print("\nStopped.")
        return 130
    except HarnessError as error:
        print(f"error: {error.message}", file=sys.stderr)
        if error.log is not None:
            print(f"  its log: {error.log}", file=sys.stderr)
        return 1


def _run(archive: Archive) -> int:
    """Run in the foreground until Ctrl-C, or until a part of the archive ends by itself."""
    layout = archive.configuration.layout
    with _alone(layout):
        if archive.is_running():
            stop = archive.configuration.make_command("stop")
            raise HarnessError(f"the archive already runs in the background; `{stop}` stops it")
    try:
        with _alone(layout):
            urls = archive.start()
        _introduce(urls, archive.configuration)
        print("The archive runs until you press Ctrl-C.", flush=True)
        ended = archive.supervisor.wait_for_an_end()
    except KeyboardInterrupt:
        ended = None
        print("\nStopping …", flush=True)
    with _alone(layout, wait=True):
        if not archive.supervisor.recorded():
            print("Everything is stopped.")
            return 0
        archive.stop()
    if ended is not None:
        log = archive.supervisor.log(ended.name)
        raise HarnessError(f"{ended.name} ended by itself, so everything was stopped", log)
    print("Everything is stopped.")
    return 0


def _start(archive: Archive) -> int:
    with _alone(archive.configuration.layout):
        _introduce(archive.start(), archive.configuration)
    print(f"The archive runs in the background; `{archive.configuration.make_command('stop')}` stops it.")
    return 0


def _urls(archive: Archive) -> int:
    print(archive.urls().to_json())
    return 0


def _stop(archive: Archive) -> int:
    with _alone(archive.configuration.layout):
        stopped = archive.stop()
    if stopped:
        print(f"Stopped {', '.join(stopped)}.")
    else:
        state = archive.configuration.layout.state
        print(f"Nothing was running in {state} (STATE_DIR and DEPLOY choose another archive).")
    return 0


def _clean(archive: Archive) -> int:
    """Remove the archive's own directories only: STATE_DIR may name a directory that holds other files, too."""
    layout = archive.configuration.layout
    with _alone(layout):
        archive.stop()
        for directory in (layout.data, layout.logs, layout.app, layout.run):
            shutil.rmtree(directory, ignore_errors=True)
        layout.ports.unlink(missing_ok=True)
    print(f"Removed the archive in {layout.state}.")
    return 0


_COMMANDS = {"run": _run, "start": _start, "urls": _urls, "stop": _stop, "clean": _clean}


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    # Only the first signal counts: a second one (make passes Ctrl-C on) would interrupt the stopping itself.
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


@contextmanager
def _alone(layout: Layout, *, wait: bool = False) -> Iterator[None]:
    """Keep a second command from starting or stopping the archive at the same time."""
    with (layout.state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise HarnessError(
                f"another command is starting or stopping the archive in {layout.state}; try again when it is done"
            ) from None
        yield


def _introduce(urls: Urls, configuration: Configuration) -> None:
    """Print the addresses, and commands to copy."""
    credentials = f"AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION={urls.region}"
    print(
        f"""
The archive is ready.
  Viewer         {urls.viewer}
  DICOMweb root  {urls.dicomweb}

Store the files of a directory DIR by STOW-RS (dcm4che), or upload them to the landing bucket:
  stowrs --url {urls.stow} DIR
  {credentials} \\
    aws s3 cp DIR s3://{urls.landing_bucket}/any/key --recursive --endpoint-url {urls.s3_endpoint}
Search:
  curl '{urls.dicomweb}/studies?PatientName=Sample*'

Logs: {configuration.layout.logs}
"""
    )
