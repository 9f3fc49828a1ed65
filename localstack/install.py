"""Prepares the machine: Debian packages, the two virtual environments, and the CDK; all versions are pinned.

Runs with the system's Python before anything is installed, so it imports the standard library only. Programs that are
already installed are left alone; if nothing is missing, it takes a tenth of a second.
"""

import argparse
import ctypes.util
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent

CDK_REQUIREMENTS = "cdk/requirements.txt"

_POLICY = Path("/usr/sbin/policy-rc.d")


class Purpose(Enum):
    """Purposes that the machine can be prepared for."""

    CHECKS = "the checks and the tests that start no service"
    RUNNING = "running the archive"
    TESTS = "all tests"


@dataclass(frozen=True)
class Package:
    """A Debian package, the reason why it is needed, and a sign by which it is recognized as installed."""

    name: str
    reason: str
    command: str | None = None
    file: str | None = None
    module: str | None = None
    library: str | None = None
    needed_for: frozenset[Purpose] = frozenset(Purpose)

    def is_there(self) -> bool:
        """Whether the files of the package are on this machine, wherever they came from."""
        if self.command is not None:
            # Debian's servers are in /usr/sbin, which is not on every user's PATH.
            path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
            return shutil.which(self.command, path=path) is not None
        if self.file is not None:
            return Path(self.file).exists()
        if self.library is not None:
            return ctypes.util.find_library(self.library) is not None
        return self.module is None or importlib.util.find_spec(self.module) is not None


_SERVICES = frozenset({Purpose.RUNNING, Purpose.TESTS})
_TESTS = frozenset({Purpose.TESTS})

PACKAGES = (
    Package("make", "runs the commands of this project", command="make"),
    Package("python3-venv", "creates the virtual environments", module="ensurepip"),
    Package("nginx", "is the local edge, and the proxy in front of the STOW service", command="nginx"),
    Package(
        "libnginx-mod-http-js",
        "runs the edge's routing module in nginx",
        file="/usr/lib/nginx/modules/ngx_http_js_module.so",
    ),
    Package("mariadb-server-core", "is the database of the search index", command="mariadbd", needed_for=_SERVICES),
    Package("mariadb-client-core", "is needed to set up MariaDB", command="my_print_defaults", needed_for=_SERVICES),
    Package("chromium", "shows the viewer in the tests", command="chromium", needed_for=_TESTS),
    Package("libatomic1", "is needed by Playwright, which drives Chromium", library="atomic", needed_for=_TESTS),
)


def missing_packages(purpose: Purpose) -> list[Package]:
    """Return the packages that a purpose needs and that are not installed."""
    return [package for package in PACKAGES if purpose in package.needed_for and not package.is_there()]


def install_packages(packages: Sequence[Package]) -> None:
    """Print what will be installed and why, and install it as root or by sudo.

    Raises
    ------
    SystemExit
        This user is not root and cannot use sudo, or apt-get fails.
    """
    if not packages:
        return
    names = [package.name for package in packages]
    print("Debian packages that are missing:")
    for package in packages:
        print(f"  {package.name:22} {package.reason}")
    privileged = _privilege()
    if privileged is None or shutil.which("apt-get") is None:
        print(
            f"error: installing them takes root or sudo, and apt-get. Have an administrator run\n"
            f"  apt-get install --no-install-recommends {' '.join(names)}\n"
            f"then repeat this command.",
            file=sys.stderr,
        )
        raise SystemExit(1)
    print("Installing them with apt-get. Debian's own services are not started.", flush=True)
    # Debian's way to keep a package from starting its service: nginx would listen on port 80 of all addresses.
    keep_policy = _POLICY.exists()
    if not keep_policy:
        _run([*privileged, "sh", "-c", f"printf '#!/bin/sh\\nexit 101\\n' >{_POLICY}; chmod 755 {_POLICY}"])
    try:
        _run([*privileged, "apt-get", "-qq", "update"])
        _run(
            [
                *privileged,
                "env",
                "DEBIAN_FRONTEND=noninteractive",
                "apt-get",
                "-qq",
                "-y",
                "-o",
                "Dpkg::Use-Pty=0",
                "install",
                "--no-install-recommends",
                *names,
            ]
        )
        if "nginx" in names and Path("/run/systemd/system").is_dir():
            _run([*privileged, "systemctl", "--quiet", "disable", "nginx"])  # not at the next boot either
    finally:
        if not keep_policy:
            _run([*privileged, "rm", "-f", str(_POLICY)])


def _privilege() -> list[str] | None:
    """Return the words that make root run a command, or None if this user cannot do that."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    # Without a terminal, sudo must not ask for a password.
    may = sys.stdin.isatty() or subprocess.run(["sudo", "-n", "true"], check=False).returncode == 0
    return ["sudo"] if may else None


def requirements_digest(file: Path) -> str:
    """Return a digest of a requirements file and of the files that it includes."""
    digest = hashlib.sha256(file.read_bytes())
    for line in file.read_text().splitlines():
        if line.startswith("-r "):
            digest.update(requirements_digest(file.parent / line.removeprefix("-r ").strip()).encode())
    return digest.hexdigest()


def ensure_environment(name: str, requirements: str) -> None:
    """Create a virtual environment if it is missing, and install a new or changed requirements file into it.

    Raises
    ------
    SystemExit
        pip fails.
    """
    directory = PROJECT / name
    stamp = directory / f"{requirements.replace('/', '-')}.sha256"
    wanted = f"{requirements_digest(PROJECT / requirements)} {sys.version_info[0]}.{sys.version_info[1]}"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"Installing {requirements} into {name} …", flush=True)
    python = str(directory / "bin" / "python")
    if not Path(python).exists():
        _run([sys.executable, "-m", "venv", str(directory)])
    stamp.unlink(missing_ok=True)
    _run([python, "-m", "pip", "install", "-qq", "-r", str(PROJECT / requirements)])
    stamp.write_text(wanted)


def ensure_cdk() -> None:
    """Install the CDK application's requirements with pip, and the CDK's command line with npm of the environment.

    Raises
    ------
    SystemExit
        pip or npm fails.
    """
    ensure_environment(".venv", CDK_REQUIREMENTS)
    directory = PROJECT / "cdk"
    stamp = directory / "node_modules" / "installed.sha256"
    wanted = hashlib.sha256((directory / "package.json").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print("Installing cdk/package.json into cdk/node_modules …", flush=True)
    binaries = PROJECT / ".venv" / "bin"
    _run(
        [str(binaries / "npm"), "install", "--prefix", str(directory), "--no-package-lock", "--no-audit", "--no-fund"],
        path=binaries,
    )
    stamp.write_text(wanted)


def _run(command: Sequence[str], *, path: Path | None = None) -> None:
    environment = None if path is None else {**os.environ, "PATH": f"{path}{os.pathsep}{os.environ.get('PATH', '')}"}
    result = subprocess.run(
        command, env=environment, stdin=None if command[0] == "sudo" else subprocess.DEVNULL, check=False
    )
    if result.returncode:
        print(f"error: status {result.returncode} from {' '.join(command)}", file=sys.stderr)
        raise SystemExit(1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prepare the machine for one purpose."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--for",
        dest="purpose",
        choices=[purpose.name.lower() for purpose in Purpose],
        default=Purpose.RUNNING.name.lower(),
        help="; ".join(f"{purpose.name.lower()}: {purpose.value}" for purpose in Purpose),
    )
    parser.add_argument(
        "--cdk", action="store_true", help="also install the CDK's command line (`--for tests` always does)"
    )
    options = parser.parse_args(arguments)
    if sys.version_info < (3, 11):  # noqa: UP036 - the system's Python may be older
        print("error: Python 3.11 or later is needed: `make PYTHON=/path/to/python3.11 ...`", file=sys.stderr)
        raise SystemExit(1)
    purpose = Purpose[options.purpose.upper()]
    install_packages(missing_packages(purpose))
    ensure_environment(".venv", "requirements-dev.txt")
    if purpose is Purpose.CHECKS:
        ensure_environment(".venv", CDK_REQUIREMENTS)  # mypy reads its types
    else:
        ensure_environment(".venv-emulator", "requirements-emulator.txt")
    if options.cdk or purpose is Purpose.TESTS:
        ensure_cdk()


if __name__ == "__main__":
    main()
