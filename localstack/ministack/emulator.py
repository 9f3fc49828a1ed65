"""Runs the embedded emulator in a Python environment of its own, with its settings and state directories."""

import shutil
import urllib.error
import urllib.request
from pathlib import Path

from cdk.project import PROJECT
from localstack.configuration import HOST, Layout
from localstack.processes import Supervisor, clean_environment

PYTHON = PROJECT / ".venv-emulator" / "bin" / "python"
_LAUNCHER = "localstack.ministack.launcher"


def emulator_environment(layout: Layout, port: int, region: str, database_port: int | None = None) -> dict[str, str]:
    """Return the environment variables of the emulator's process.

    AWS_ENDPOINT_URL must not be among them: the functions would inherit it, and the emulator would not set its own.
    """
    data = layout.data / "emulator"
    return {
        **clean_environment(),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": region,
        "MINISTACK_REGION": region,
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,  # the default is every interface
        "MINISTACK_HOST": "localhost",  # part of queue URLs
        "IOT_MTLS_ENABLED": "0",  # it and SFTP would open two more listeners
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(data / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(data / "objects"),
        "TMPDIR": str(data / "functions"),  # for unpacked packages and the workers' temporary files
        "LAMBDA_WARM_TTL_SECONDS": "3600",  # a cold start costs half a second of one of few cores
        "LOG_LEVEL": "WARNING",
        "PYTHONUTF8": "1",  # the functions' output is read as text
        "PYTHONUNBUFFERED": "1",
        # The address that the launcher gives to database clusters.
        **({} if database_port is None else {"RDS_HOST": HOST, "RDS_PORT": str(database_port)}),
    }


def start_emulator(
    supervisor: Supervisor, layout: Layout, port: int, region: str, database_port: int | None = None
) -> None:
    """Start the emulator and wait until it answers.

    Raises
    ------
    HarnessError
        It ended, or did not answer in time.
    """
    environment = emulator_environment(layout, port, region, database_port)
    for name in ("STATE_DIR", "S3_DATA_DIR", "TMPDIR"):
        Path(environment[name]).mkdir(parents=True, exist_ok=True)
    _remove_left_overs(Path(environment["TMPDIR"]))
    supervisor.start(
        "emulator",
        [PYTHON, "-m", _LAUNCHER],
        environment=environment,
        directory=PROJECT,
        ready=lambda: _answers(port),
    )


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/_localstack/health", timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _remove_left_overs(directory: Path) -> None:
    """Remove the files that workers of earlier runs left, and all unpacked packages except the two latest."""
    packages = sorted(directory.glob("package-*"), key=lambda path: path.stat().st_mtime)
    for path in [*(set(directory.iterdir()) - set(packages)), *packages[:-2]]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
