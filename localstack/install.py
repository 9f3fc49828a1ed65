"""Prepares the machine: Debian packages, the two virtual environments, and the CDK; all versions pinned.

Runs with the system's Python before anything is installed, so it imports the standard library only. What is
there already is left alone; when all is there it takes a tenth of a second.
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
    """What the machine is prepared for."""

    CHECKS = "the checks and the tests that start no service"
    RUNNING = "running the archive"
    TESTS = "all tests"


@dataclass(frozen=True)
class Package:
    """A Debian package, why it is needed, and how to see that it is there."""

    name: str
    reason: str
    command: str | None = None
    file: str | None = None
    module: str | None = None
    library: str | None = None
    needed_for: frozenset[Purpose] = frozenset(Purpose)

    def is_there(self) -> bool:
        """Whether what the package brings is on this machine, from wherever it came."""
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
    Package("make", "runs the targets", command="make"),
    Package("python3-venv", "makes the virtual environments", module="ensurepip"),
    Package("nginx", "is the local edge, and stands before the STOW service", command="nginx"),
    Package(
        "libnginx-mod-http-js",
        "runs the edge's routing module in nginx",
        file="/usr/lib/nginx/modules/ngx_http_js_module.so",
    ),
    Package("mariadb-server-core", "is the index for search", command="mariadbd", needed_for=_SERVICES),
    Package("mariadb-client-core", "sets MariaDB up", command="my_print_defaults", needed_for=_SERVICES),
    Package("chromium", "shows the viewer in the tests", command="chromium", needed_for=_TESTS),
    Package("libatomic1", "is needed by Playwright, which drives Chromium", library="atomic", needed_for=_TESTS),
)


def missing_packages(purpose: Purpose) -> list[Package]:
    """Packages that a purpose needs and that are not installed."""
    return [package for package in PACKAGES if purpose in package.needed_for and not package.is_there()]


def install_packages(packages: Sequence[Package]) -> None:
    """Say what will be installed and why, and do it as root or by sudo.

    Raises
    ------
    SystemExit
        There is neither, or apt-get fails.
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
            f"They can be installed by root only (there is no sudo here, or no apt-get). Have somebody run\n"
            f"  apt-get install --no-install-recommends {' '.join(names)}\n"
            f"and start again.",
            file=sys.stderr,
        )
        raise SystemExit(1)
    print("Installing them with apt-get. Debian's own services are not started.", flush=True)
    # Debian's way to keep a package from starting its service: nginx would listen on port 80 everywhere.
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
            _run([*privileged, "systemctl", "--quiet", "disable", "nginx"])  # nor at the next boot
    finally:
        if not keep_policy:
            _run([*privileged, "rm", "-f", str(_POLICY)])


def _privilege() -> list[str] | None:
    """Words before a command that root has to run; None where that is not possible."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    # Where nobody can type a password, sudo must not need one.
    may = sys.stdin.isatty() or subprocess.run(["sudo", "-n", "true"], check=False).returncode == 0
    return ["sudo"] if may else None


def requirements_digest(file: Path) -> str:
    """Digest of a requirements file and of those that it includes."""
    digest = hashlib.sha256(file.read_bytes())
    for line in file.read_text().splitlines():
        if line.startswith("-r "):
            digest.update(requirements_digest(file.parent / line.removeprefix("-r ").strip()).encode())
    return digest.hexdigest()


def ensure_environment(name: str, requirements: str) -> None:
    """Make a virtual environment where there is none, and install a requirements file that changed into it.

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
    """Install what the CDK application needs, and the CDK's command line by the virtual environment's npm.

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
        print(f"failed with status {result.returncode}: {' '.join(command)}", file=sys.stderr)
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
    parser.add_argument("--cdk", action="store_true", help="also install the CDK's command line (tests have it anyway)")
    options = parser.parse_args(arguments)
    if sys.version_info < (3, 11):  # noqa: UP036 - this file runs with whatever Python is there
        print("Python 3.11 or later is needed; set PYTHON=/path/to/python3.11", file=sys.stderr)
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
