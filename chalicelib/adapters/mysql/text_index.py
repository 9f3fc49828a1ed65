"""What searches look words and texts up by, written by a study's publication: words of names, and ends.

Ends are kept once for each different word or value of the archive, not for each study. A publication looks
whether they are there, and mostly they are.
"""

from collections.abc import Collection, Sequence

from pymysql.cursors import Cursor

from chalicelib.adapters.mysql.inserts import insert
from chalicelib.adapters.mysql.rows import ending_rows, name_word_rows, text_ending_rows
from chalicelib.adapters.mysql.schema import ENDING_LENGTH
from chalicelib.dicomweb.attributes import DicomJson


def replace_name_words(cursor: Cursor, study_key: int, study: DicomJson) -> None:
    """Bring the words of the study's names up to date, and add the ends of those that are new."""
    # Names seldom change: what is there stays, so that most publications only read.
    wanted = name_word_rows(study)
    cursor.execute("SELECT tag, word FROM person_name_words WHERE study_key = %s", (study_key,))
    there = set(cursor.fetchall())
    for tag, word in sorted(there - wanted):
        cursor.execute(
            "DELETE FROM person_name_words WHERE tag = %s AND word = %s AND study_key = %s", (tag, word, study_key)
        )
    added = sorted(wanted - there)
    _insert_missing_endings(cursor, sorted({word for _, word in added}))
    insert(cursor, "person_name_words", [{"tag": tag, "word": word, "study_key": study_key} for tag, word in added], "")


def _insert_missing_endings(cursor: Cursor, words: Sequence[str]) -> None:
    if not words:
        return
    # A word's own row is written with those of its ends. Most words of names are not new.
    pairs = ", ".join(["(%s, %s)"] * len(words))
    cursor.execute(
        f"SELECT word FROM person_name_endings WHERE (ending, word) IN ({pairs})",  # noqa: S608 - constants only
        [word for word in words for _ in range(2)],
    )
    there = {word for (word,) in cursor.fetchall()}
    # Another study's publication may bring the same word at the same time.
    ending = " ON DUPLICATE KEY UPDATE word = VALUES(word)"
    insert(cursor, "person_name_endings", ending_rows(set(words) - there), ending)


def insert_missing_text_endings(cursor: Cursor, values: Collection[tuple[int, str]]) -> None:
    """Add the ends of those values, each with its attribute's tag, that the archive does not know yet."""
    if not values:
        return
    # A value's own row, cut as all ends, is written with those of its ends.
    places = ", ".join(["(%s, %s, %s)"] * len(values))
    cursor.execute(
        f"SELECT tag, value FROM text_endings WHERE (tag, ending, value) IN ({places})",  # noqa: S608 - constants only
        [param for tag, value in sorted(values) for param in (tag, value[:ENDING_LENGTH], value)],
    )
    there = set(cursor.fetchall())
    # As above: the same value may come at the same time.
    ending = " ON DUPLICATE KEY UPDATE value = VALUES(value)"
    insert(cursor, "text_endings", text_ending_rows(set(values) - there), ending)
