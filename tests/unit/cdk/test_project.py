"""Copies of the checkout for Chalice."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cdk import project as module
from cdk.project import PROJECT, committed_configuration, copy_chalice_project, copy_sources


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of few files, in place of this one."""
    directory = tmp_path / "checkout"
    (directory / "chalicelib" / "__pycache__").mkdir(parents=True)
    (directory / "chalicelib" / "__pycache__" / "settings.pyc").touch()
    (directory / "chalicelib" / "settings.py").write_text("new")
    (directory / "app.py").write_text("app")
    (directory / "requirements.txt").write_text("pydicom")
    (directory / "README.md").touch()
    monkeypatch.setattr(module, "PROJECT", directory)
    return directory


def files(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


def test_a_copy_of_sources_leaves_out_what_belongs_to_this_checkout_alone(checkout: Path, tmp_path: Path) -> None:
    (checkout / "cdk" / "node_modules").mkdir(parents=True)
    for name in ("cdk/node_modules/package.json", "cdk/deployment.toml", "cdk/stacks.py"):
        (checkout / name).touch()

    copy_sources(("app.py", "cdk", "chalicelib/settings.py"), tmp_path / "sources")

    assert files(tmp_path / "sources") == ["app.py", "cdk/stacks.py", "chalicelib/settings.py"]


def test_a_copy_holds_the_sources_and_the_given_configuration_only(checkout: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copies" / "app"

    copy_chalice_project(copy, {"app_name": "archive"})

    assert files(copy) == [".chalice/config.json", "app.py", "chalicelib/settings.py", "requirements.txt"]
    assert (copy / "chalicelib" / "settings.py").read_text() == "new"
    assert json.loads((copy / ".chalice" / "config.json").read_text()) == {"app_name": "archive"}


def test_a_second_copy_replaces_the_sources_and_keeps_the_files_of_chalice(checkout: Path, tmp_path: Path) -> None:
    copy = tmp_path / "app"
    (copy / "chalicelib").mkdir(parents=True)
    (copy / "chalicelib" / "removed.py").touch()
    (copy / ".chalice" / "deployed").mkdir(parents=True)
    (copy / ".chalice" / "deployed" / "local.json").touch()

    copy_chalice_project(copy, {})

    assert files(copy) == [
        ".chalice/config.json",
        ".chalice/deployed/local.json",
        "app.py",
        "chalicelib/settings.py",
        "requirements.txt",
    ]


def test_a_source_that_is_missing_is_named(checkout: Path, tmp_path: Path) -> None:
    (checkout / "requirements.txt").unlink()

    with pytest.raises(FileNotFoundError, match=r"checkout/requirements\.txt"):
        copy_chalice_project(tmp_path / "app", {})


def test_the_committed_configuration_is_that_of_this_checkout() -> None:
    assert committed_configuration()["app_name"] == "static-dicomweb"


def test_the_harness_deploys_without_the_libraries_of_the_cdk() -> None:
    code = "import sys, localstack.deployment.chalice_deploy; print({'aws_cdk', 'jsii', 'pydantic'} & set(sys.modules))"

    result = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)

    assert result.stdout == "set()\n"
