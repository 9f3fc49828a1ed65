"""The documents held against the code: tables that must be complete, names that must exist, links that must resolve."""

import re
import tomllib
import unicodedata
from pathlib import Path

import pytest

from cdk.project import PROJECT
from chalicelib.adapters.mysql.schema import NAME_LENGTH, TEXT_LENGTH
from chalicelib.dicomweb.attributes import ATTRIBUTES, Attribute, Level
from chalicelib.dicomweb.instance.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES, TransferSyntax
from docs.settings_table import with_settings_tables

README = PROJECT / "README.md"
CONFORMANCE = PROJECT / "docs" / "conformance.md"
CONTRIBUTING = PROJECT / "CONTRIBUTING.md"
ARCHITECTURE = PROJECT / "docs" / "architecture.md"
DOCUMENTS = [
    *sorted(PROJECT.glob("*.md")),
    *sorted((PROJECT / "docs").rglob("*.md")),
    *(PROJECT / folder / "README.md" for folder in ("benchmarks", "cdk", "edge")),
]
DECISIONS = sorted(path for path in (PROJECT / "docs" / "adr").glob("*.md") if path.name != "README.md")

ROOMS = ("dicomweb", "services", "adapters", "entrypoints")

# The words of the conformance statement's tables, by the names of `Matching` and `Returned`.
MATCHING = {
    "NONE": "-",
    "UID": "UID list",
    "TEXT": "text",
    "CODE": "code list",
    "NAME": "name",
    "DATE": "date range",
    "TIME": "time range",
    "NUMBER": "number",
    "SEQUENCE": "sequence",
}
RETURNED = {"ALWAYS": "always", "KNOWN": "if it has a value", "ASKED": "on request"}


def name_of(path: Path) -> str:
    return str(path.relative_to(PROJECT))


def section(document: Path, heading: str) -> str:
    """Text between a heading and the next of its or a higher level."""
    text = document.read_text(encoding="utf-8")
    level = heading.partition(" ")[0]
    found = re.search(rf"^{re.escape(heading)}$(.*?)(?=^#{{1,{len(level)}}} |\Z)", text, re.DOTALL | re.MULTILINE)
    assert found, f"{name_of(document)} has no heading {heading}"
    return found.group(1)


def table_rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda attribute: attribute.keyword)
def test_every_attribute_of_search_stands_in_the_conformance_statement(attribute: Attribute) -> None:
    path = ".".join(f"({tag[:4]},{tag[4:]})" for tag in attribute.path.split("."))
    returned = "with its sequence" if attribute.sequence else RETURNED[attribute.returned.name]
    expected = [attribute.keyword, path, attribute.vr, MATCHING[attribute.matching.name], returned]
    assert expected in table_rows(section(CONFORMANCE, f"### {attribute.level.name.capitalize()} level"))


@pytest.mark.parametrize("level", Level, ids=lambda level: level.name.lower())
def test_the_conformance_statement_promises_no_attribute_that_is_not_there(level: Level) -> None:
    rows = [row for row in table_rows(section(CONFORMANCE, f"### {level.name.capitalize()} level")) if "(" in row[1]]
    assert [row[0] for row in rows] == [attribute.keyword for attribute in ATTRIBUTES if attribute.level is level]


@pytest.mark.parametrize("syntax", TRANSFER_SYNTAXES.values(), ids=lambda syntax: syntax.uid)
def test_every_transfer_syntax_stands_in_the_conformance_statement(syntax: TransferSyntax) -> None:
    travels_as = "as stored" if syntax.encapsulated else f"`{EXPLICIT_VR_LITTLE_ENDIAN}`"
    rows = [row[1:] for row in table_rows(section(CONFORMANCE, "## Transfer syntaxes"))]
    assert [syntax.uid, f"`{syntax.frame_media_type}`", travels_as] in rows


def test_the_conformance_statement_promises_no_transfer_syntax_that_is_not_there() -> None:
    rows = table_rows(section(CONFORMANCE, "## Transfer syntaxes"))
    assert {row[1] for row in rows if row[1].startswith("1.2.840")} == set(TRANSFER_SYNTAXES)


def test_the_readme_has_the_current_tables_of_settings() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == with_settings_tables(text), "run `make readme`"


def test_the_conformance_statement_has_the_default_limits_of_the_settings() -> None:
    defaults = {row[0]: row[1] for row in table_rows(section(README, "## Configuration"))}
    stated = re.findall(r"\| ([^|]+) \((`[A-Z_]+`)\)", section(CONFORMANCE, "## Limits"))
    assert [variable for _, variable in stated] == [
        "`MAX_INSTANCE_BYTES`",
        "`STOW_MAX_INSTANCES`",
        "`MAX_INFLATED_BYTES`",
    ]
    for limit, variable in stated:
        assert limit.replace(",", "") == defaults[variable]


def make_targets() -> set[str]:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    # In prose between backticks, in a block at a line's beginning or in a substitution.
    named = re.findall(r"(?:`|^|\$\()make (?:-s )?([a-z][a-z-]*)", text, re.MULTILINE)
    assert set(named) <= make_targets()


def anchors(document: Path) -> set[str]:
    """Anchors that GitHub gives to the headings of a document."""
    found = set()
    for heading in re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE):
        kept = [c for c in heading.lower() if c in "-_ " or unicodedata.category(c)[0] in "LN"]
        found.add("".join(kept).replace(" ", "-"))
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_within_the_project_resolves(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_file_of_the_project_that_is_named_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = re.findall(r"`((?:chalicelib|cdk|edge|stow_nlb|localstack|tests|benchmarks|docs)/[\w./-]*)`", text)
    # Within chalicelib, documents leave its name out.
    named += [f"chalicelib/{name}" for name in re.findall(rf"`((?:{'|'.join(ROOMS)})/[\w./-]*)`", text)]
    assert not [name for name in named if not (PROJECT / name).exists()]


# --- one way to say each truth --------------------------------------------------------------------


def test_the_order_of_imports_is_that_of_the_import_contracts() -> None:
    contracts = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [layers] = [contract["layers"] for contract in contracts if contract["name"] == "Imports run one way"]
    assert "\n".join(layer.strip("()") for layer in layers) in CONTRIBUTING.read_text(encoding="utf-8")


def test_the_lengths_to_which_values_are_compared_are_those_of_the_index() -> None:
    sentence = f"Texts are compared up to {TEXT_LENGTH} characters, names up to {NAME_LENGTH} characters"
    assert sentence in CONFORMANCE.read_text(encoding="utf-8").replace("\n", " ")
    recipe = section(CONTRIBUTING, "## Recipe: add a searchable attribute")
    assert f"VARCHAR({TEXT_LENGTH})" in recipe
    assert f"VARCHAR({NAME_LENGTH})" in recipe


def test_the_texts_that_are_indexed_by_their_endings_are_those_of_the_attribute_table() -> None:
    *others, last = [attribute.keyword for attribute in ATTRIBUTES if attribute.ends_indexed]
    listed = f"{', '.join(others)} or {last}"
    [row] = [row for row in table_rows(section(ARCHITECTURE, "## Data model")) if row[0] == "`text_endings`"]
    assert listed in row[1]


def test_every_test_that_the_architecture_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", ARCHITECTURE.read_text(encoding="utf-8")))
    sources = [path.read_text(encoding="utf-8") for path in (PROJECT / "tests").rglob("test_*.py")]
    present = {name for source in sources for name in re.findall(r"def (test_\w+)\(", source)}
    assert named
    assert not named - present


def test_the_index_of_decisions_is_complete() -> None:
    index = (PROJECT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    for path in DECISIONS:
        title = path.read_text(encoding="utf-8").splitlines()[0]
        number, name = re.fullmatch(r"# (\d{4}) (.+)", title).groups()
        assert f"| [{number}]({path.name}) | {name} |" in index, path.name


@pytest.mark.parametrize("document", DECISIONS, ids=name_of)
def test_a_decision_says_why_what_follows_and_what_was_measured(document: Path) -> None:
    headings = re.findall(r"^## (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == ["Context", "Decision", "Consequences", "Measured"]
