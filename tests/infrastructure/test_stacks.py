"""The stacks as a whole: cdk-nag and cfn-lint accept them, and they can be updated separately."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from cdk.compliance.suppressions import SUPPRESSIONS, Suppression
from cdk.project import PROJECT, committed_configuration
from tests.infrastructure.support.synthesis import ACCOUNT, NAME, REGION, Assembly, Template, resources

STATEFUL = {"storage", "records", "index"}


def finding(suppression: Suppression) -> tuple[str, str]:
    return (
        suppression.rule.format(name=NAME, account=ACCOUNT, region=REGION),
        f"{NAME}-{suppression.path}/",
    )


def test_there_is_one_stack_for_each_part(templates: Mapping[str, Template]) -> None:
    assert set(templates) == {
        "storage",
        "records",
        "index",
        "access",
        "application",
        "store",
        "firewall",
        "viewer",
        "edge",
        "operations",
        "edge-operations",
    }


@pytest.mark.parametrize("variant", ["usual", "small"])
def test_cdk_nag_finds_nothing_that_is_not_accepted_with_a_reason(
    assemblies: Mapping[str, Assembly], variant: str
) -> None:
    assert assemblies[variant].findings() == set()
    assert assemblies[variant].annotations("error") == set()


def test_small_archive_can_be_taken_down_again_and_says_what_it_lacks(assemblies: Mapping[str, Assembly]) -> None:
    small = assemblies["small"]
    [cluster] = resources(small.templates["index"], "AWS::RDS::DBCluster").values()
    [load_balancer] = resources(small.templates["store"], "AWS::ElasticLoadBalancingV2::LoadBalancer").values()

    assert cluster["Properties"]["DeletionProtection"] is False
    assert {"Key": "deletion_protection.enabled", "Value": "false"} in load_balancer["Properties"][
        "LoadBalancerAttributes"
    ]
    assert "edge-operations" not in small.templates
    warnings = {message.rpartition("static-dicomweb:")[2] for message in small.annotations("warning")}
    assert warnings == {"root]", "database-tls]"}


def test_complete_configuration_is_written_without_a_warning(assembly: Assembly) -> None:
    assert assembly.annotations("warning") == set()


def test_each_accepted_finding_is_still_found(assemblies: Mapping[str, Assembly]) -> None:
    findings = assemblies["other"].findings()

    assert findings
    dead = [
        suppression
        for suppression in SUPPRESSIONS
        if not any(
            rule == finding(suppression)[0] and f"{path}/".startswith(finding(suppression)[1])
            for rule, path in findings
        )
    ]
    assert dead == []


def test_each_accepted_finding_has_a_reason_of_substance() -> None:
    short = [suppression for suppression in SUPPRESSIONS if len(suppression.reason.split()) < 8]

    assert short == []
    assert len({(suppression.rule, suppression.path) for suppression in SUPPRESSIONS}) == len(SUPPRESSIONS)


def test_templates_are_valid_for_cfn_lint(assembly: Assembly) -> None:
    result = subprocess.run(
        [
            str(Path(sys.executable).with_name("cfn-lint")),
            "--non-zero-exit-code=warning",
            "--format=json",
            f"--regions={REGION}",  # by default cfn-lint uses the environment's region, which may be unset
            *map(str, sorted(assembly.directory.glob("*.template.json"))),
        ],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.stderr == ""
    matches = [
        (match["Rule"]["Id"], Path(match["Filename"]).name, match["Location"]["Path"], match["Message"])
        for match in json.loads(result.stdout)
    ]
    # The CDK's own functions name a dependency twice, and this project cannot change their resources.
    cdk_functions = ("CustomCrossRegionExport", "CustomCDKBucketDeployment")
    assert [match for match in matches if match[0] != "W3005" or not match[2][1].startswith(cdk_functions)] == []


def test_a_setting_of_the_store_changes_the_store_only(assemblies: Mapping[str, Assembly]) -> None:
    """All other stacks are the same byte for byte, including the functions' package."""
    usual, other = assemblies["usual"], assemblies["other"]

    changed = {part for part, template in usual.templates.items() if other.templates[part] != template}

    assert changed == {"store"}


def test_stacks_with_data_are_protected_from_deletion(assembly: Assembly) -> None:
    protected = {
        name.removeprefix(f"{NAME}-")
        for name, artifact in assembly.manifest.items()
        if artifact["type"] == "aws:cloudformation:stack" and artifact["properties"].get("terminationProtection")
    }

    assert protected == STATEFUL


def test_every_stack_has_the_configured_tags(assembly: Assembly) -> None:
    for name, artifact in assembly.manifest.items():
        if artifact["type"] == "aws:cloudformation:stack":
            assert artifact["properties"]["tags"] == {"Department": "R"}, name


def test_nothing_is_looked_up_when_templates_are_written(assembly: Assembly) -> None:
    manifest = json.loads((assembly.directory / "manifest.json").read_text())

    assert manifest.get("missing", []) == []


def test_no_password_is_in_a_template(templates: Mapping[str, Template]) -> None:
    for template in templates.values():
        for secret in resources(template, "AWS::SecretsManager::Secret").values():
            assert "SecretString" not in secret["Properties"]


def test_outputs_have_the_names_that_others_read(templates: Mapping[str, Template]) -> None:
    names = {name for template in templates.values() for name in template.get("Outputs", {})}

    assert {
        "ApiUrl",
        "ConvertRoleArn",
        "DatabaseMasterSecretArn",
        "DatabaseSecretArn",
        "FunctionSecurityGroupId",
        "FunctionSubnetIds",
        "LandingBucketName",
        "LandingQueueArn",
        "LandingQueueName",
        "MigrateRoleArn",
        "RecordsTableName",
        "RejectionsTableName",
        "SearchRoleArn",
        "StaticBucketName",
    } <= names


def test_synthesis_leaves_the_repository_as_it_is(assembly: Assembly) -> None:
    assert assembly.templates
    assert set(committed_configuration()["stages"]) == {"local"}
    assert not (PROJECT / "chalice.out").exists()
