"""The site of the documents: it builds with no warning, has every page, and draws the diagrams."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from lxml import html

from cdk.project import PROJECT

ARCHITECTURE = "docs/architecture.md"


class _ConfigurationLoader(yaml.SafeLoader):
    """Reads mkdocs.yml, whose names of Python functions are of no interest here."""


_ConfigurationLoader.add_multi_constructor("tag:yaml.org,2002:python/name:", lambda _loader, name, _node: name)


def paths_of(nav: Any) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    else:
        for each in nav.values() if isinstance(nav, dict) else nav:
            yield from paths_of(each)


def navigation() -> list[str]:
    text = (PROJECT / "mkdocs.yml").read_text(encoding="utf-8")
    return list(paths_of(yaml.load(text, Loader=_ConfigurationLoader)["nav"]))


def build(project: Path, site: Path) -> subprocess.CompletedProcess[str]:
    # In a process of its own: MkDocs and what it imports warn of things that pytest makes errors. Never with --quiet:
    # a warning that is not shown does not count.
    configuration = str(project / "mkdocs.yml")
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", configuration, "--site-dir", str(site)],
        cwd=site.parent,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("documents") / "site"
    result = build(PROJECT, directory)
    assert result.returncode == 0, result.stdout + result.stderr
    return directory


@pytest.fixture
def copied_project(tmp_path: Path) -> Path:
    """What the site is made of, to be spoilt."""
    project = tmp_path / "project"
    for path in ("mkdocs.yml", "LICENSE", "docs/site_hooks.py", *navigation()):
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / path, project / path)
    return project


def page_of(site: Path, document: str) -> Path:
    """Page of a document: it has the document's place, and a README is its folder's index."""
    path = site / document
    return path.with_name("index.html") if path.name == "README.md" else path.with_suffix(".html")


def tree_of(page: Path) -> html.HtmlElement:
    return html.fromstring(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("document", navigation())
def test_every_page_of_the_navigation_is_there(site: Path, document: str) -> None:
    title = re.search(r"^# (.*)$", (PROJECT / document).read_text(encoding="utf-8"), re.MULTILINE).group(1)
    heading = tree_of(page_of(site, document)).xpath("//article//h1")[0]
    assert heading.text_content().removesuffix("¶").strip() == title.replace("`", "")


def test_every_document_is_in_the_navigation() -> None:
    documents = [*(PROJECT / "docs").rglob("*.md"), *PROJECT.glob("*.md")]
    assert {path.relative_to(PROJECT).as_posix() for path in documents} <= set(navigation())


def test_diagrams_are_in_the_page_for_mermaid_to_draw(site: Path) -> None:
    text = (PROJECT / ARCHITECTURE).read_text(encoding="utf-8")
    written = re.findall(r"^```mermaid\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    shown = tree_of(page_of(site, ARCHITECTURE)).xpath("//pre[@class='mermaid']/code")
    kinds = [re.sub(r"%%.*\n", "", diagram).split()[0] for diagram in written]
    assert kinds == ["flowchart", "sequenceDiagram", "stateDiagram-v2"]
    assert [code.text_content().strip() for code in shown] == [diagram.strip() for diagram in written]


def test_a_link_between_documents_is_that_of_the_repository(site: Path) -> None:
    links = tree_of(page_of(site, "README.md")).xpath("//article//a/@href")
    assert {"docs/architecture.html#faults-and-how-an-operator-sees-them", "CONTRIBUTING.html", "LICENSE"} <= set(links)
    assert (site / "LICENSE").exists()


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "docs/operations.md"])
def test_code_and_paragraphs_stay_in_their_item_of_a_list(site: Path, document: str) -> None:
    article = tree_of(page_of(site, document)).xpath("//article")[0]
    assert article.xpath(".//ol/li//pre")
    # A list that is torn goes on with another number.
    assert not article.xpath(".//ol[@start]")


@pytest.mark.parametrize("document", navigation())
def test_a_page_fetches_nothing_from_anybody_else(site: Path, document: str) -> None:
    tree = tree_of(page_of(site, document))
    fetched = tree.xpath("//script/@src | //img/@src | //link[not(@rel='canonical')]/@href")
    assert fetched
    assert not [address for address in fetched if re.match(r"(https?:)?//", address)]


def test_no_module_is_part_of_the_site(site: Path) -> None:
    assert not list(site.rglob("*.py*"))


@pytest.mark.parametrize(
    "spoilt",
    ["[a page](nowhere.md)", "[a heading](conformance.md#nowhere)", "[a module](../app.py)"],
)
def test_a_link_that_leads_nowhere_fails_the_build(copied_project: Path, tmp_path: Path, spoilt: str) -> None:
    with (copied_project / ARCHITECTURE).open("a", encoding="utf-8") as document:
        document.write(f"\n{spoilt}\n")
    result = build(copied_project, tmp_path / "site")
    assert result.returncode != 0
    assert "architecture.md" in result.stderr


def test_a_document_that_the_navigation_lacks_fails_the_build(copied_project: Path, tmp_path: Path) -> None:
    (copied_project / "docs" / "forgotten.md").write_text("# Forgotten\n", encoding="utf-8")
    result = build(copied_project, tmp_path / "site")
    assert result.returncode != 0
    assert "forgotten.md" in result.stderr
