"""Runs the CDK application, and reads its templates."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cdk.project import PROJECT

NAME = "radiology"
REGION = "eu-central-1"
ACCOUNT = "123456789012"

SETTINGS: Mapping[str, Any] = {
    "name": NAME,
    "account": ACCOUNT,
    "region": REGION,
    "stow_fqdn": "stow.archive.example.org",
    "certificate_arn": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/00000000-0000-0000-0000-000000000001",
    "viewer_fqdn": "archive.example.org",
    "viewer_certificate_arn": f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/00000000-0000-0000-0000-000000000002",
    "allowed_cidrs": ["198.51.100.0/24"],
    "edge_allowed_cidrs": ["198.51.100.0/24", "203.0.113.0/24"],
    "store_image": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/stow:1.2",
    "landing_cold_after_days": 90,
    "static_intelligent_tiering_after_days": 7,
    "alarm_email": "pacs-admin@example.org",
    "convert_max_concurrency": 20,
}

# A small archive that can be removed again.
SMALL_SETTINGS: Mapping[str, Any] = {
    "name": NAME,
    "account": ACCOUNT,
    "region": "us-east-1",
    "stow_fqdn": "stow.archive.example.org",
    "certificate_arn": f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/00000000-0000-0000-0000-000000000001",
    "store_image": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/stow:1.2",
    "store_min_tasks": 1,
    "aurora_instances": 1,
    "aurora_min_acu": 0,
    "availability_zones": 3,
    "deletion_protection": False,
    "database_tls": "required",
}

Template = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Assembly:
    """The files of one synthesis."""

    directory: Path
    templates: Mapping[str, Template]

    @property
    def manifest(self) -> dict[str, Any]:
        """The artifacts of the manifest: stacks with their tags and protection."""
        return dict(json.loads((self.directory / "manifest.json").read_text())["artifacts"])

    def annotations(self, level: str) -> set[str]:
        """The application's messages of one level (warning, error)."""
        return {
            entry["data"]
            for path in self.directory.glob("*.metadata.json")
            for entries in json.loads(path.read_text()).values()
            for entry in entries
            if entry["type"] == f"aws:cdk:{level}"
        }

    def findings(self) -> set[tuple[str, str]]:
        """Rule and construct path of each finding of cdk-nag."""
        report = json.loads((self.directory / "validation-report.json").read_text())
        return {
            (violation["ruleName"], construct["constructPath"])
            for plugin in report["pluginReports"]
            for violation in plugin["violations"]
            for construct in violation["violatingConstructs"]
        }


def toml(settings: Mapping[str, Any]) -> str:
    """Text of a configuration; strings, numbers and arrays are the same in JSON and TOML."""
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()) + '[tags]\nDepartment = "R"\n'


def run_cdk(
    directory: Path, settings: Mapping[str, Any], viewer: Path, code: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the CDK application in its own process, as the CDK command line does."""
    directory.mkdir(parents=True)
    configuration = directory / "deployment.toml"
    configuration.write_text(toml(settings))
    return subprocess.run(
        [sys.executable, *(["-c", code] if code else ["-m", "cdk"])],
        cwd=PROJECT,
        env={
            **os.environ,
            "CDK_OUTDIR": str(directory / "cdk.out"),
            "DEPLOYMENT": str(configuration),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",  # has node
            "VIEWER_DIRECTORY": str(viewer),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def read_assembly(directory: Path) -> Assembly:
    """Read the templates of a synthesis."""
    assembly = directory / "cdk.out"
    return Assembly(
        assembly,
        {
            path.name.removeprefix(f"{NAME}-").removesuffix(".template.json"): json.loads(path.read_text())
            for path in sorted(assembly.glob("*.template.json"))
        },
    )


def resources(template: Template, kind: str) -> dict[str, Template]:
    """Resources of one type, by logical id."""
    return {name: resource for name, resource in template["Resources"].items() if resource["Type"] == kind}
