"""OHIF's files: fetched once, verified, and unpacked without source maps; and its configuration."""

import base64
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from edge import viewer_files as module
from edge.viewer_files import VERSION, ViewerFilesError, app_config, viewer_files


def package(files: dict[str, bytes]) -> bytes:
    """A package as npm packs it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def no_npm(*_: object) -> int:
    raise AssertionError("npm was called")


def test_only_served_files_are_unpacked_and_npm_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = package(
        {
            "dist/index.html": b"page",
            "dist/app.bundle.1.js": b"code",
            "dist/app.bundle.1.js.map": b"source map",
            "package.json": b"{}",
        }
    )
    asked = []

    def npm(directory: Path, _log: Path | None) -> int:
        asked.append(directory)
        (directory / "ohif-app.tgz").write_bytes(packed)
        return 0

    monkeypatch.setattr(module, "_npm_pack", npm)
    monkeypatch.setattr(module, "_SHA512", base64.b64encode(hashlib.sha512(packed).digest()).decode())
    cache = tmp_path / "cache"

    directory = viewer_files(cache)

    assert sorted(path.name for path in directory.iterdir()) == ["app.bundle.1.js", "index.html"]
    assert viewer_files(cache) == directory
    assert len(asked) == 1


def test_another_package_than_the_tested_one_is_refused_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_npm_pack", no_npm)
    tarball = tmp_path / f"ohif-app-{VERSION}.tgz"
    tarball.write_bytes(package({"dist/index.html": b"other"}))
    with pytest.raises(ViewerFilesError, match="is not the package that was tested"):
        viewer_files(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_failure_of_npm_names_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_npm_pack", lambda *_: 1)
    with pytest.raises(ViewerFilesError, match=r"ended with status 1; see its output in .*npm\.log"):
        viewer_files(tmp_path, tmp_path / "npm.log")


def test_what_is_there_needs_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_npm_pack", no_npm)
    (tmp_path / f"ohif-{VERSION}").mkdir()
    assert viewer_files(tmp_path) == tmp_path / f"ohif-{VERSION}"


def test_the_viewer_asks_this_archive_on_whatever_host_it_is() -> None:
    text = app_config()

    assert text.startswith("window.config = ")
    config = json.loads(text.removeprefix("window.config = ").rstrip().removesuffix(";"))
    (source,) = config["dataSources"]
    assert source["sourceName"] == config["defaultDataSourceName"]
    assert source["configuration"]["qidoRoot"] == source["configuration"]["wadoRoot"] == "/dicomweb"
