"""Hooks of MkDocs: the site has the layout of the repository, and reads Markdown as GitHub does.

MkDocs takes its pages from one folder, and would put them at the site's top. Here they keep their folder, and the
pages of the navigation that lie elsewhere (README.md, CHANGELOG.md, ...) are added. So a link from one document to
another is the same on the site as in the repository; none is rewritten, and no text is copied. A link to a file that is
not part of the site, such as a module, fails the build: documents name these by their paths.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

# Linked from the documents, and not Markdown.
_OTHER_FILES = ("LICENSE",)

_ITEM = re.compile(r"(?:[-*]|\d+\.) ")
_INDENT = "    "


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Place every file where it lies in the repository."""
    project = Path(config.config_file_path).parent
    folder = Path(config.docs_dir).relative_to(project)
    inside = [(folder / file.src_uri).as_posix() for file in files if file.src_dir == config.docs_dir]
    outside = [path for path in (*_paths(config.nav), *_OTHER_FILES) if not path.startswith(f"{folder.as_posix()}/")]
    placed = [file for file in files if file.src_dir != config.docs_dir]  # the theme's
    for path in (*inside, *outside):
        # MkDocs reports a page of the navigation that it does not find.
        if (project / path).is_file():
            placed.append(File.generated(config, path, abs_src_path=str(project / path)))
    return Files(placed)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Indent what belongs to an item of a list by four spaces, as Python-Markdown wants it.

    GitHub wants as many as the item's marker is wide: two or three.
    """
    lines: list[str] = []
    marker_width = 0  # of the list that we are in
    in_code = False
    for line in markdown.split("\n"):
        if line.startswith("```"):
            in_code = not in_code
        if not in_code and (item := _ITEM.match(line)):
            marker_width = item.end()
        elif line and not line.startswith(" "):
            marker_width = 0
        of_item = marker_width and line.startswith(" " * marker_width)
        lines.append(_INDENT + line[marker_width:] if of_item else line)
    return "\n".join(lines)


def _paths(nav: Any) -> Iterator[str]:
    """Paths of the navigation, which nests lists and mappings from titles."""
    if isinstance(nav, str):
        yield nav
    elif nav is not None:
        for each in nav.values() if isinstance(nav, dict) else nav:
            yield from _paths(each)
