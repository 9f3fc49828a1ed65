"""Person names (VR PN, PS3.5 §6.2.1) as search compares them: three component groups, folded. Pure.

Strategy: the index stores the folded form, and the text of a query is folded in the same way, so the
database compares plain bytes. Two servers and the in-memory index then agree to the letter. No collation
achieves that, since every server has its own version of the Unicode tables.
"""

import unicodedata
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from typing import Any

from chalicelib.dicomweb.values import NAME_GROUPS, plain_text

# Limits of fuzzy matching for one name; a real one has three or four words.
MAX_WORDS = 32
MAX_WORD_LENGTH = 64

# Letters with a stroke and ligatures have no decomposition in Unicode, but people search for them as accented.
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
_APOSTROPHES = frozenset("'`\u00b4\u02bc\u02b9\u2018\u2019")
# Combining marks of Latin, Greek and Cyrillic. Those of kana are kept: が and か are different letters.
_ACCENTS = dict.fromkeys(range(0x0300, 0x0370))


def fold_name(text: str, *, whole: bool = True) -> str:
    """Remove case, accents and width from a name (or, not `whole`, from a piece of one).

    A whole name also loses empty components at its end (PS3.5 Table 6.2-1 allows omitting them) and the
    spaces around it.
    """
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", decomposed).translate(_ACCENTS))
    folded = folded.translate(_STROKES)
    return folded.rstrip("^ ").lstrip(" ") if whole else folded


def name_groups(text: str) -> list[str]:
    """Split a name, as written in a data set or a query, into at most three component groups (PS3.5 §6.2.1)."""
    return [group.strip() for group in text.split("=")][:3]


def folded_groups(element_value: Any) -> tuple[str, str, str]:
    """Return the three folded groups of one PN value of the DICOM JSON Model; "" if missing or malformed."""
    if not isinstance(element_value, dict):
        return ("", "", "")
    alphabetic, ideographic, phonetic = (fold_name(plain_text(element_value.get(name))) for name in NAME_GROUPS)
    return (alphabetic, ideographic, phonetic)


def name_words(folded: str) -> list[str]:
    """Split a folded name into words: runs of letters, their marks and digits.

    Apostrophes and invisible joiners are dropped and do not separate words: O'Brien is one word, "obrien".
    """
    return [run[:MAX_WORD_LENGTH] for run in _word_runs(folded)]


def indexed_words(groups: tuple[str, str, str]) -> frozenset[str]:
    """Return the words by which fuzzy matching finds a name, given its folded groups.

    They include all components of the ideographic and of the phonetic group joined together, since such
    names are also written without a space.
    """
    _, *unspaced = groups
    words = [word for group in groups for word in name_words(group)]
    joined = ("".join(name_words(group))[:MAX_WORD_LENGTH] for group in unspaced)
    distinct = dict.fromkeys([*words, *(word for word in joined if word)])
    return frozenset(list(distinct)[:MAX_WORDS])


def has_more_words(groups: tuple[str, str, str]) -> bool:
    """Whether `indexed_words` lacks words of a name, or has cut off the ends of long ones."""
    runs = [run for group in groups for run in _word_runs(group)]
    return len(set(runs)) > MAX_WORDS or any(len(run) > MAX_WORD_LENGTH for run in runs)


def words_match(wanted: Iterable[str], words: Iterable[str]) -> bool:
    """Whether each wanted word is the beginning of one of the words."""
    there = list(words)
    return all(any(word.startswith(prefix) for word in there) for prefix in wanted)


def word_continues(left: str, right: str) -> bool:
    """Whether a word would span the place where two pieces of text are joined."""
    return bool(left and right) and _kind(left[-1]) is not False and _kind(right[0]) is not False


def _word_runs(folded: str) -> list[str]:
    kinds = ((_kind(character), character) for character in folded)
    kept = ((kind, character) for kind, character in kinds if kind is not None)
    return ["".join(character for _, character in run) for is_word, run in groupby(kept, itemgetter(0)) if is_word]


def _kind(character: str) -> bool | None:
    """Whether a character belongs to a word; None if it is ignored."""
    category = unicodedata.category(character)
    if character in _APOSTROPHES or category == "Cf":
        return None
    return category[0] in "LMN"
