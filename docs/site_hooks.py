"""MkDocs hooks that give the site the layout of the repository, and read Markdown as GitHub does.

MkDocs takes its pages from one folder, and would put them at the top of the site. These hooks keep the folder in the
paths, and add the pages of the navigation that are elsewhere (README.md, CHANGELOG.md, ...). A link between documents
is therefore the same on the site as in the repository: no link is rewritten, and no text is copied. A link to a file
that is not part of the site, such as a module, fails the build. Documents name such files by their paths, without a
link.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

# Files that documents link to, and that are not Markdown.
_OTHER_FILES = ("LICENSE",)

_ITEM = re.compile(r"(?:[-*]|\d+\.) ")
_INDENT = "    "


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Give every file its path in the repository, and add the files outside of the documents' folder."""
    project = Path(config.config_file_path).parent
    folder = Path(config.docs_dir).relative_to(project)
    inside = [(folder / file.src_uri).as_posix() for file in files if file.src_dir == config.docs_dir]
    outside = [path for path in (*_paths(config.nav), *_OTHER_FILES) if not path.startswith(f"{folder.as_posix()}/")]
    placed = [file for file in files if file.src_dir != config.docs_dir]  # files of the theme
    for path in (*inside, *outside):
        # If a page of the navigation does not exist, MkDocs itself reports it.
        if (project / path).is_file():
            placed.append(File.generated(config, path, abs_src_path=str(project / path)))
    return Files(placed)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Indent the continuation of a list item by four spaces, which Python-Markdown requires.

    GitHub requires the width of the item's marker: two or three spaces.
    """
    lines: list[str] = []
    marker_width = 0  # of the current list; 0 outside of lists
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
    """Yield the paths in the navigation, which nests lists and mappings from titles."""
    if isinstance(nav, str):
        yield nav
    elif nav is not None:
        for each in nav.values() if isinstance(nav, dict) else nav:
            yield from _paths(each)
