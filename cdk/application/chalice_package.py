"""Chalice's own CDK construct, changed to leave the repository untouched and to produce reproducible packages.

Strategy: Chalice packages a copy of the project, which is kept in `.local/cdk` with Chalice's cache of dependencies, so
the committed configuration is not changed. Chalice's zip file contains the times at which files were unpacked. It is
rewritten without them; otherwise each synthesis would look like a new version of the functions.
"""

import fcntl
import json
import os
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

from chalice.cdk import Chalice
from constructs import Construct

from cdk.project import PROJECT, committed_configuration, copy_chalice_project

_CACHE = PROJECT / ".local" / "cdk"
_COPY = _CACHE / "app"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip file can hold


class PackagedChalice(Chalice):
    """The application of this repository as resources of a stack.

    Parameters
    ----------
    region
        Region of the deployment.
    queue_concurrency
        How many instances of a function may process a queue at the same time. Reserved concurrency would not do: it
        throttles messages that were already received, and these then count as failed.
    stage_settings
        Settings of the stage, in the form of ``.chalice/config.json``.
    """

    def __init__(
        self, scope: Construct, id_: str, *, region: str, queue_concurrency: int, stage_settings: Mapping[str, Any]
    ) -> None:
        self._queue_concurrency = queue_concurrency
        with _alone(), _unchanged_process(), tempfile.TemporaryDirectory(dir=_CACHE) as directory, chdir(directory):
            # Chalice derives names of services from the region; it calls none of them.
            os.environ["AWS_DEFAULT_REGION"] = region
            copy_chalice_project(_COPY, {**committed_configuration(), "stages": {scope.to_string(): stage_settings}})
            super().__init__(scope, id_, source_dir=str(_COPY))

    def _package_app(self) -> None:
        super()._package_app()
        package = Path(self._sam_package_dir)
        _write_again(package / "deployment.zip")
        template = package / "sam.json"
        template.write_text(json.dumps(self._with_concurrency(json.loads(template.read_text()))))

    def _with_concurrency(self, template: dict[str, Any]) -> dict[str, Any]:
        for resource in template["Resources"].values():
            for event in resource["Properties"].get("Events", {}).values():
                if event["Type"] == "SQS":
                    event["Properties"]["ScalingConfig"] = {"MaximumConcurrency": self._queue_concurrency}
        return template


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock on the copy; wait for other syntheses that use it."""
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _unchanged_process() -> Iterator[None]:
    """Restore what Chalice changes in this process to import the application: variables, search path, module."""
    variables, path = dict(os.environ), list(sys.path)
    sys.modules.pop("app", None)
    try:
        yield
    finally:
        sys.modules.pop("app", None)
        sys.path[:] = path
        os.environ.clear()
        os.environ.update(variables)


def _write_again(package: Path) -> None:
    """Rewrite a zip file with a fixed order, time and mode of its members."""
    again = package.with_suffix(".tmp")
    with zipfile.ZipFile(package) as source, zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(source.namelist()):
            member = zipfile.ZipInfo(name, date_time=_EPOCH)
            member.external_attr = 0o644 << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(member, source.read(name))
    again.replace(package)
