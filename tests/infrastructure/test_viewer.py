"""The viewer's bucket, and the deployments of files to it."""

import json
import zipfile
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.infrastructure.support.parts import of_type, only
from tests.infrastructure.support.synthesis import Assembly, Template

# Files of OHIF 3.13.2, at least one of each kind, with their Cache-Control.
FILES = {
    "index.html": "no-cache",
    "app-config.js": "no-cache",
    "sw.js": "no-cache",
    "init-service-worker.js": "no-cache",
    "app.bundle.0f6159c501addfe9.js": "public, max-age=31536000, immutable",
    "100.bundle.cb02411ce321d4e4.js": "public, max-age=31536000, immutable",
    "a34f9d1faa5f3315.woff2": "public, max-age=31536000, immutable",
    "0ddf166f7a343eda.wasm": "public, max-age=0, s-maxage=3600",
    "ort/ort-wasm-simd.wasm": "public, max-age=0, s-maxage=3600",
    "1602.css": "public, max-age=0, s-maxage=3600",
    "manifest.json": "public, max-age=0, s-maxage=3600",
    "assets/favicon.ico": "public, max-age=0, s-maxage=3600",
    "customizations/index.html": "public, max-age=0, s-maxage=3600",
}


@pytest.fixture(scope="module")
def viewer(templates: Mapping[str, Template]) -> Template:
    return templates["viewer"]


@pytest.fixture(scope="module")
def deployments(viewer: Template) -> list[dict[str, Any]]:
    """Properties of the deployments in their order: each depends on the one before."""
    found = {
        name: resource
        for name, resource in viewer["Resources"].items()
        if resource["Type"] == "Custom::CDKBucketDeployment"
    }
    return [
        found[name]["Properties"]
        for name in sorted(found, key=lambda name: len(set(before(viewer, name)) & set(found)))
    ]


def before(viewer: Template, name: str) -> set[str]:
    """All resources that a resource directly or indirectly depends on."""
    waits: set[str] = set()
    for other in viewer["Resources"][name].get("DependsOn", []):
        waits |= {other, *before(viewer, other)}
    return waits


def deploys(properties: Mapping[str, Any], file: str) -> bool:
    """Whether a deployment uploads a file; as with `aws s3 sync`, the last filter that matches decides."""
    kept = True
    for option, value in (("Exclude", False), ("Include", True)):
        if any(fnmatchcase(file, pattern) for pattern in properties.get(option, [])):
            kept = value
    return kept


@pytest.mark.parametrize("file", FILES)
def test_every_file_is_deployed_once_with_how_long_it_may_be_kept(deployments: list[dict[str, Any]], file: str) -> None:
    [found] = [properties for properties in deployments if deploys(properties, file)]
    assert found["SystemMetadata"]["cache-control"] == FILES[file]


def test_compiled_code_has_the_type_that_browsers_ask_for(deployments: list[dict[str, Any]]) -> None:
    [found] = [properties for properties in deployments if deploys(properties, "0ddf166f7a343eda.wasm")]
    assert found["SystemMetadata"]["content-type"] == "application/wasm"
    assert all("content-type" not in other["SystemMetadata"] for other in deployments if other is not found)


def test_what_refers_to_others_comes_last(deployments: list[dict[str, Any]]) -> None:
    assert deploys(deployments[-1], "index.html")
    assert deploys(deployments[0], "app.bundle.0f6159c501addfe9.js")


def test_an_open_viewer_still_finds_its_parts_after_an_update(deployments: list[dict[str, Any]]) -> None:
    # Only files without a digest in their names are removed with their version.
    assert [properties["Prune"] for properties in deployments].count(True) == 1
    [pruning] = [properties for properties in deployments if properties["Prune"]]
    assert not deploys(pruning, "app.bundle.0f6159c501addfe9.js")


def test_the_configuration_is_ours(assembly: Assembly, deployments: list[dict[str, Any]]) -> None:
    # A file of the later source replaces the file of the same name in the earlier one.
    configuration = deployments[-1]["SourceObjectKeys"][-1]
    asset = assembly.directory / f"asset.{configuration}"
    text = (
        zipfile.ZipFile(asset).read("app-config.js").decode()
        if asset.is_file()
        else (asset.with_suffix("") / "app-config.js").read_text()
    )
    assert '"qidoRoot": "/dicomweb"' in text


def test_nobody_reads_the_bucket_but_this_accounts_distributions(viewer: Template) -> None:
    allowing = [
        statement
        for statement in only(viewer, "AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    [statement] = allowing
    assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert statement["Action"] == "s3:GetObject"
    assert ':cloudfront::", {"Ref": "AWS::AccountId"}, ":distribution/*"' in json.dumps(
        statement["Condition"]["ArnLike"]
    )


def test_the_deploying_function_has_room_for_the_viewer(viewer: Template) -> None:
    [function] = of_type(viewer, "AWS::Lambda::Function").values()
    # 166 MB of files, and their archive beside them.
    assert function["EphemeralStorage"]["Size"] >= 512
    assert function["MemorySize"] >= 512
