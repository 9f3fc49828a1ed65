"""Chalice's own CDK construct, made to leave no trace in the repository and to give the same package each time.

Strategy: Chalice packages a copy of the project, kept in `.local/cdk` with its cache of the dependencies, so the
committed configuration stays as it is. Its zip file holds the times at which files were unpacked; it is written
again without them, or each synthesis would look like a new version of the functions.
"""

import fcntl
import json
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

from chalice.cdk import Chalice
from constructs import Construct

from cdk.configuration.deployment import PROJECT

_SOURCES = ("app.py", "chalicelib", "requirements.txt")
_CACHE = PROJECT / ".local" / "cdk"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can say


class PackagedChalice(Chalice):
    """The application of this repository as resources of a stack.

    Parameters
    ----------
    region
        Where it will be deployed.
    queue_concurrency
        Functions at once, at most, that work on a queue. Their reserved concurrency would be no such limit: it
        throttles what was received already, which then counts as failed.
    stage_settings
        Settings of the stage, in the form of ``.chalice/config.json``.
    """

    def __init__(
        self, scope: Construct, id_: str, *, region: str, queue_concurrency: int, stage_settings: Mapping[str, Any]
    ) -> None:
        self._queue_concurrency = queue_concurrency
        with _alone(), _unchanged_process(), tempfile.TemporaryDirectory(dir=_CACHE) as directory, chdir(directory):
            # Chalice asks for names of services there, which it calls not at all.
            os.environ["AWS_DEFAULT_REGION"] = region
            super().__init__(scope, id_, source_dir=str(_assemble(scope.to_string(), stage_settings)))

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


def _assemble(stage: str, settings: Mapping[str, Any]) -> Path:
    """Copy the sources, with a configuration of this one stage; gives the copy's directory."""
    project = _CACHE / "app"
    for name in _SOURCES:
        source, target = PROJECT / name, project / name
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            project.mkdir(exist_ok=True)
            shutil.copyfile(source, target)
    committed = json.loads((PROJECT / ".chalice" / "config.json").read_text())
    configuration = project / ".chalice" / "config.json"
    configuration.parent.mkdir(exist_ok=True)
    configuration.write_text(json.dumps({**committed, "stages": {stage: settings}}, indent=2))
    return project


@contextmanager
def _alone() -> Iterator[None]:
    """Wait for other syntheses that use the copy."""
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _unchanged_process() -> Iterator[None]:
    """Undo what Chalice does to this process to import the application: variables, search path, module."""
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
    """Give a zip file's members a fixed order, time and mode."""
    again = package.with_suffix(".tmp")
    with zipfile.ZipFile(package) as source, zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(source.namelist()):
            member = zipfile.ZipInfo(name, date_time=_EPOCH)
            member.external_attr = 0o644 << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(member, source.read(name))
    again.replace(package)
