"""Person names (VR PN) as search compares them: three component groups, folded. Pure.

Strategy: the folded form is what the index stores and what a query's text is turned into, so the
database compares plain bytes. Two servers and the in-memory index then agree to the letter, which no
collation gives: each has its own version of the Unicode tables.
"""

import unicodedata
from typing import Any

from chalicelib.dicomweb.values import plain_text

GROUPS = ("Alphabetic", "Ideographic", "Phonetic")

# Letters with a stroke or a ligature have no decomposition in Unicode, yet count as accented.
_STROKES = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "ŧ": "t",
        "\u0131": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
    }
)
# Combining marks of Latin, Greek and Cyrillic. Those of kana are kept: が and か are two letters.
_ACCENTS = dict.fromkeys(range(0x0300, 0x0370))


def fold_name(text: str, *, whole: bool = True) -> str:
    """Remove case, accents and width from a name (or, not `whole`, from a piece of one).

    A whole name loses empty components at its end (PS3.5 §6.2.1.1: trailing delimiters may be left out)
    and the blanks around it.
    """
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", decomposed).translate(_ACCENTS))
    folded = folded.translate(_STROKES)
    return folded.rstrip("^ ").lstrip(" ") if whole else folded


def name_groups(text: str) -> list[str]:
    """Component groups of a name as it stands in a data set, at most three."""
    return [group.strip() for group in text.split("=")][:3]


def folded_groups(element_value: Any) -> tuple[str, str, str]:
    """The folded groups of one PN value of the DICOM JSON Model; "" for what is missing or hostile."""
    if not isinstance(element_value, dict):
        return ("", "", "")
    alphabetic, ideographic, phonetic = (fold_name(plain_text(element_value.get(name))) for name in GROUPS)
    return (alphabetic, ideographic, phonetic)
