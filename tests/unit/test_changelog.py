"""The changelog keeps the form of Keep a Changelog, and tells of the version that the project says it is."""

import re
import tomllib

from cdk.project import PROJECT

CHANGELOG = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
SECTIONS = re.findall(r"^## (.*)$", CHANGELOG, re.MULTILINE)


def test_unreleased_changes_stand_above_the_versions() -> None:
    assert SECTIONS[0] == "[Unreleased]"


def test_each_version_has_its_date_or_says_that_it_is_not_released() -> None:
    version = r"\[\d+\.\d+\.\d+\] - (\d{4}-\d{2}-\d{2}( \[YANKED\])?|not released)"
    assert not [section for section in SECTIONS[1:] if not re.fullmatch(version, section)]


def test_the_projects_version_has_a_section() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert SECTIONS[1].startswith(f"[{project['version']}]")


def test_changes_are_of_the_known_kinds() -> None:
    kinds = set(re.findall(r"^### (.*)$", CHANGELOG, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
