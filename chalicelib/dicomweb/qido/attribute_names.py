"""Names of attributes in the query string of a search: keywords, tags, and paths of both (PS3.18 §8.3.4.1). Pure."""

import re

from chalicelib.dicomweb.attributes import TAG_OF_KEYWORD

_TAG = re.compile(r"[0-9A-Fa-f]{8}\Z")
_KEYWORD = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}\Z")


def is_name(component: str) -> bool:
    """Whether a component of a path has the form of a tag or of a keyword."""
    return bool(_TAG.match(component) or _KEYWORD.match(component))


def known_tag(component: str) -> str | None:
    """Return the tag that a component of a path names; None if it is neither a tag nor a keyword of the table."""
    return component.upper() if _TAG.match(component) else TAG_OF_KEYWORD.get(component)


def path_of(name: str) -> str | None:
    """Return the dotted path of tags for ``PatientName``, ``00100010`` or ``RequestAttributesSequence.00400009``.

    Return None if a component is neither eight hexadecimal digits nor a keyword of the table.
    """
    tags = [known_tag(component) for component in name.split(".")]
    return None if None in tags else ".".join(tag for tag in tags if tag)
