"""The package that Chalice builds for the functions: its size, its imports for a search, and its stage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from cdk.application.chalice_stage import make_stage, write_stage
from cdk.project import CHALICE_CONFIGURATION, committed_configuration, copy_chalice_project
from chalicelib.settings import MIB
from tests.unit.cdk.application.test_chalice_stage import ALL, NAME, stubbed

# Lambda's limits for a package: 50 MB for the upload, 250 MB unpacked with all layers.
MAX_ZIPPED_BYTES = 50 * MIB
MAX_UNZIPPED_BYTES = 250 * MIB

# Libraries that only conversion needs, or nothing.
NOT_FOR_A_SEARCH = {"aiohttp", "boto3", "botocore", "isal", "numpy", "pydicom", "pymysql", "tenacity"}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory with ``deployment.zip`` and ``sam.json`` of a stage that was written from the stacks' outputs."""
    project: Path = tmp_path_factory.mktemp("package")
    copy_chalice_project(project, committed_configuration())
    write_stage(project / CHALICE_CONFIGURATION, "prod", make_stage(stubbed(ALL), NAME))
    chalice = Path(sys.executable).with_name("chalice")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    result = subprocess.run(
        [chalice, "package", "--stage", "prod", "--template-format", "json", "out"],
        cwd=project,
        env={**environment, "AWS_DEFAULT_REGION": "eu-west-1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return project / "out"


@pytest.fixture(scope="module")
def unpacked(package: Path) -> Path:
    directory = package / "unpacked"
    with zipfile.ZipFile(package / "deployment.zip") as archive:
        archive.extractall(directory)
    return directory


def test_the_package_is_well_below_lambdas_limits(package: Path, unpacked: Path) -> None:
    zipped = (package / "deployment.zip").stat().st_size
    unzipped = sum(path.stat().st_size for path in unpacked.rglob("*"))
    print(f"package: {zipped / MIB:.1f} MiB zipped, {unzipped / MIB:.1f} MiB unzipped")
    assert zipped < MAX_ZIPPED_BYTES / 2
    assert unzipped < MAX_UNZIPPED_BYTES / 2


def test_the_package_holds_what_the_code_reads_beside_modules(unpacked: Path) -> None:
    mysql = unpacked / "chalicelib" / "adapters" / "mysql"
    assert {path.name for path in mysql.iterdir() if path.suffix not in ("", ".py")} == {
        "schema.sql",
        "rds_authorities.pem",
    }


def run_in(unpacked: Path, code: str) -> Any:
    """Run code that finds only the standard library and the package; return the JSON that it prints."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(unpacked), "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run(
        [sys.executable, "-S", "-c", code], env=environment, cwd=unpacked, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_the_function_starts_from_the_package_without_what_a_search_does_not_need(unpacked: Path) -> None:
    loaded = set(run_in(unpacked, "import json, sys, app; print(json.dumps(sorted(sys.modules)))"))
    assert "chalicelib.entrypoints.search_routes" in loaded
    assert {name.partition(".")[0] for name in loaded} & NOT_FOR_A_SEARCH == set()
    assert len(loaded) < 260, "measured with 213 modules, at 0.2 s"


def test_a_search_in_the_package_loads_no_pydicom(unpacked: Path) -> None:
    names = ("LANDING_BUCKET", "STATIC_BUCKET", "RECORDS_TABLE", "REJECTIONS_TABLE", "DATABASE_SECRET_ID")
    code = (
        f"import json, os, sys; os.environ.update(dict.fromkeys({names!r}, 'x'), AWS_DEFAULT_REGION='eu-west-1'); "
        "import app; from chalicelib.entrypoints import http; http.services().search; "
        "print(json.dumps(sorted(sys.modules)))"
    )
    loaded = {name.partition(".")[0] for name in run_in(unpacked, code)}
    assert {"boto3", "pymysql"} <= loaded
    assert loaded & {"pydicom", "numpy"} == set()


def test_the_template_of_a_stage_has_its_roles_network_and_variables(package: Path) -> None:
    resources = json.loads((package / "sam.json").read_text())["Resources"]
    functions = {
        resource["Properties"]["Handler"]: resource["Properties"]
        for resource in resources.values()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    assert {handler: properties["Role"].rpartition("/")[2] for handler, properties in functions.items()} == {
        "app.app": "search",
        "app.convert": "convert",
        "app.migrate": "migrate",
    }
    assert {handler: properties["Timeout"] for handler, properties in functions.items()} == {
        "app.app": 29,
        "app.convert": 300,
        "app.migrate": 300,
    }
    for properties in functions.values():
        assert properties["VpcConfig"] == {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}
        assert properties["Environment"]["Variables"]["DATABASE_TLS"] == "verified"
    with_master = [
        handler
        for handler, properties in functions.items()
        if "DATABASE_MASTER_SECRET_ID" in properties["Environment"]["Variables"]
    ]
    assert with_master == ["app.migrate"]
    assert "AWS::IAM::Role" not in {resource["Type"] for resource in resources.values()}
    queues = [
        event["Properties"]["Queue"] for event in functions["app.convert"]["Events"].values() if event["Type"] == "SQS"
    ]
    assert "archive-landing" in json.dumps(queues)
