"""Keywords and tags of the attributes of PS3.6, also of those that the table of `attributes` does not have. Pure.

pydicom's dictionary is imported on use: loading it takes longer than the start of the search function.
"""

from chalicelib.dicomweb.attributes import KEYWORD_OF_COMPUTED_TAG, KEYWORD_OF_TAG, TAG_OF_KEYWORD


def keyword_of_tag(tag: str) -> str | None:
    """Return the keyword of eight upper-case hexadecimal digits; None if PS3.6 has no such tag."""
    return KEYWORD_OF_TAG.get(tag) or KEYWORD_OF_COMPUTED_TAG.get(tag) or _keyword_in_dictionary(tag)


def tag_of_keyword(keyword: str) -> str | None:
    """Return the tag as eight upper-case hexadecimal digits; None if PS3.6 has no such keyword."""
    return TAG_OF_KEYWORD.get(keyword) or _tag_in_dictionary(keyword)


def _keyword_in_dictionary(tag: str) -> str | None:
    from pydicom.datadict import keyword_for_tag

    return keyword_for_tag(int(tag, 16)) or None


def _tag_in_dictionary(keyword: str) -> str | None:
    from pydicom.datadict import tag_for_keyword

    tag = tag_for_keyword(keyword)
    return None if tag is None else f"{tag:08X}"
