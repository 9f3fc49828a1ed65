"""Person names (VR PN) as search compares them: three component groups, folded. Pure.

Strategy: the folded form is what the index stores and what a query's text is turned into, so the
database compares plain bytes. Two servers and the in-memory index then agree to the letter, which no
collation gives: each has its own version of the Unicode tables.
"""

import unicodedata
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from typing import Any

from chalicelib.dicomweb.values import plain_text

GROUPS = ("Alphabetic", "Ideographic", "Phonetic")

# What fuzzy matching looks at in one name; a real one has three or four words.
MAX_WORDS = 32
MAX_WORD_LENGTH = 64

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
_APOSTROPHES = frozenset("'`\u00b4\u02bc\u02b9\u2018\u2019")
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


def name_words(folded: str) -> list[str]:
    """Words of a folded name: runs of letters, their marks and digits.

    Apostrophes and invisible joiners belong to no word and part none: O'Brien is one, "obrien".
    """
    return [run[:MAX_WORD_LENGTH] for run in _word_runs(folded)]


def indexed_words(groups: tuple[str, str, str]) -> frozenset[str]:
    """Words by which fuzzy matching finds a name, given by its folded groups.

    Of ideographic and phonetic groups also all components joined: such names are written without a gap.
    """
    _, *unspaced = groups
    words = [word for group in groups for word in name_words(group)]
    joined = ("".join(name_words(group))[:MAX_WORD_LENGTH] for group in unspaced)
    distinct = dict.fromkeys([*words, *(word for word in joined if word)])
    return frozenset(list(distinct)[:MAX_WORDS])


def has_more_words(groups: tuple[str, str, str]) -> bool:
    """Whether a name has words, or ends of long words, that are not among its `indexed_words`."""
    runs = [run for group in groups for run in _word_runs(group)]
    return len(set(runs)) > MAX_WORDS or any(len(run) > MAX_WORD_LENGTH for run in runs)


def words_match(wanted: Iterable[str], words: Iterable[str]) -> bool:
    """Whether each wanted word begins one of the words."""
    there = list(words)
    return all(any(word.startswith(prefix) for word in there) for prefix in wanted)


def word_continues(left: str, right: str) -> bool:
    """Whether two pieces of text, put together, would make one word where they meet."""
    return bool(left and right) and _kind(left[-1]) is not False and _kind(right[0]) is not False


def _word_runs(folded: str) -> list[str]:
    kinds = ((_kind(character), character) for character in folded)
    kept = ((kind, character) for kind, character in kinds if kind is not None)
    return ["".join(character for _, character in run) for is_word, run in groupby(kept, itemgetter(0)) if is_word]


def _kind(character: str) -> bool | None:
    """Whether a character is of a word; None for what is as good as not there."""
    category = unicodedata.category(character)
    if character in _APOSTROPHES or category == "Cf":
        return None
    return category[0] in "LMN"
