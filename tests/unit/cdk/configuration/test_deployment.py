"""The deployment's configuration: which values are accepted, and how the others are explained."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cdk.configuration.deployment import Deployment
from cdk.configuration.file import ConfigurationError, read_deployment
from cdk.project import PROJECT

CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
VIEWER_CERTIFICATE = CERTIFICATE.replace("eu-central-1", "us-east-1")
NEEDED: dict[str, Any] = {
    "account": "123456789012",
    "region": "eu-central-1",
    "stow_fqdn": "stow.example.org",
    "certificate_arn": CERTIFICATE,
}


def problems(tmp_path: Path, text: str) -> str:
    path = tmp_path / "deployment.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read_deployment(path)
    return str(caught.value)


NEEDED_TEXT = "".join(f'{name} = "{value}"\n' for name, value in NEEDED.items())


def test_example_is_valid_and_shows_every_setting() -> None:
    example = PROJECT / "cdk" / "deployment.example.toml"

    deployment = read_deployment(example)

    assert deployment.region == "eu-central-1"
    text = example.read_text()
    assert [name for name in Deployment.model_fields if f"{name} =" not in text and f"[{name}]" not in text] == []


def test_commented_defaults_of_the_example_are_the_defaults(tmp_path: Path) -> None:
    text = (PROJECT / "cdk" / "deployment.example.toml").read_text()
    defaults = text.partition("--- Defaults")[2]
    optional = ("store_image", "database_ca_file", "landing_cold", "static_intelligent", "[tags]", "CostCenter")
    lines = [
        line.removeprefix("# ")
        for line in defaults.splitlines()
        if line.startswith("# ") and " = " in line and not any(name in line for name in optional)
    ]
    path = tmp_path / "deployment.toml"
    path.write_text(NEEDED_TEXT + "\n".join(lines))

    assert len(lines) > 15
    assert read_deployment(path) == Deployment(**NEEDED)


def test_dicomweb_root_is_below_the_viewer_and_else_a_path() -> None:
    viewer = {"viewer_fqdn": "pacs.example.org", "viewer_certificate_arn": VIEWER_CERTIFICATE}

    assert Deployment(**NEEDED).dicomweb_root == "/dicomweb"
    assert Deployment(**NEEDED, **viewer).dicomweb_root == "https://pacs.example.org/dicomweb"
    assert Deployment(**NEEDED, dicomweb_root="http://127.0.0.1:8000/dicomweb").dicomweb_root.startswith("http://127")


def test_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"Copy cdk/deployment.example.toml to cdk/deployment.toml"):
        read_deployment(tmp_path / "none.toml")


def test_all_that_is_missing_is_named_at_once_each_with_an_example(tmp_path: Path) -> None:
    message = problems(tmp_path, "")

    for name in NEEDED:
        assert f"- {name} is missing. Expected: " in message
    assert 'stow_fqdn = "stow.archive.example.org"' in message


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('name = "My_Archive"', "name is 'My_Archive'. Expected: 3 to 32 lower-case letters"),
        ('viewer_fqdn = "https://pacs"', "viewer_fqdn is 'https://pacs'. Expected: a fully qualified domain name"),
        ('vpc_cidr = "10.0.0.1/16"', "has host bits set"),
        ('vpc_cidr = "8.8.0.0/16"', "a private network of /16 to /24"),
        ("availability_zones = 1", "availability_zones is 1. Expected: 2 or 3"),
        ('allowed_cidrs = ["10.0.0.0/8", "everybody"]', "allowed_cidrs[1] is 'everybody'"),
        ('allowed_cidrs = "10.0.0.0/8"', "Expected: a list of IPv4 networks"),
        ('edge_allowed_cidrs = ["0.0.0.0/0"]', "leave the list out"),
        ("store_cpu = 300", "store_cpu is 300: one of 256, 512, 1024, 2048, 4096"),
        ("store_memory_mib = 1024", "with store_cpu 1024, one of 2048, 3072"),
        ("store_min_tasks = 20", "store_max_tasks is 10, less than store_min_tasks (20)"),
        ("aurora_min_acu = 0.7", "this is not a multiple of 0.5"),
        ("aurora_min_acu = 32", "aurora_max_acu is 8, less than aurora_min_acu (32"),
        ("aurora_max_acu = 512", "aurora_max_acu is 512. Expected: 1 to 256"),
        ("convert_max_concurrency = 1", "one converter at a time could not keep up"),
        ("landing_cold_after_days = 0", "Glacier Instant Retrieval: instances are read from the landing bucket"),
        ("log_retention_days = 100", "log_retention_days is 100, and CloudWatch Logs does not offer this period"),
        ('alarm_email = "nobody"', "alarm_email is 'nobody'. Expected: an e-mail address"),
        ('deletion_protection = "no"', "deletion_protection is 'no'. Expected: true or false"),
        ('database_ca_file = "chalicelib/none.pem"', "an existing file is expected"),
        ("store_memory = 4096", "store_memory: there is no such setting; was store_memory_mib meant?"),
        ('viewer_fqdn = "pacs.example.org"', "viewer_fqdn and viewer_certificate_arn: set both or neither"),
        (
            f'viewer_fqdn = "pacs.example.org"\nviewer_certificate_arn = "{CERTIFICATE}"',
            "a certificate in us-east-1 (CloudFront accepts no other region) is expected",
        ),
        (
            f'viewer_fqdn = "stow.example.org"\nviewer_certificate_arn = "{VIEWER_CERTIFICATE}"',
            "two different names are needed",
        ),
        ('[tags]\n"aws:owner" = "me"', "a name must not begin with aws:"),
        ("[tags]\nCostCenter = 12", "tags['CostCenter'] is 12"),
        (
            '[tags]\nCostCenter = "R&D"\n',
            "tags['CostCenter'] is 'R&D'. Expected: a text for each name; both consist of letters",
        ),
    ],
)
def test_wrong_value_is_named_with_what_is_expected(tmp_path: Path, line: str, said: str) -> None:
    assert said in problems(tmp_path, NEEDED_TEXT + line)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("account", "12345", "Expected: the 12 digits of the AWS account"),
        ("region", "Frankfurt", "Expected: an AWS region"),
        ("region", "cn-north-1", "not China"),
        ("region", "us-gov-west-1", "not GovCloud"),
        ("certificate_arn", "stow.example.org", "this is not the ARN of a certificate"),
        ("certificate_arn", VIEWER_CERTIFICATE, "a certificate in eu-central-1, the load balancer's region"),
    ],
)
def test_wrong_value_of_what_is_needed_is_named(tmp_path: Path, name: str, value: str, said: str) -> None:
    text = "".join(f'{key} = "{value if key == name else given}"\n' for key, given in NEEDED.items())

    message = problems(tmp_path, text)

    assert f"- {name} is " in message
    assert said in message


def test_invalid_toml_is_reported_with_its_line(tmp_path: Path) -> None:
    assert "is not valid TOML: Invalid value (at line 2" in problems(tmp_path, 'account = "1"\nregion = eu\n')


def test_command_prints_what_is_wrong_without_a_traceback(tmp_path: Path) -> None:
    configuration = tmp_path / "deployment.toml"
    configuration.write_text(NEEDED_TEXT + "store_cpu = 300\n")
    variables = {**os.environ, "DEPLOYMENT": str(configuration), "CDK_OUTDIR": str(tmp_path / "cdk.out")}
    variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{variables['PATH']}"  # has node

    result = subprocess.run(
        [sys.executable, "-m", "cdk"], cwd=PROJECT, env=variables, capture_output=True, text=True, check=False
    )

    assert result.returncode == 1
    assert "store_cpu is 300" in result.stderr
    assert "Traceback" not in result.stderr
