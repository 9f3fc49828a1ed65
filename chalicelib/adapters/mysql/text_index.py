"""Writes the words of person names, and the endings of words and texts, by which searches look them up.

Endings are stored once for each different word or value of the archive, and not for each study. A publication
checks whether they exist, which they usually do.
"""

from collections.abc import Collection, Sequence

from pymysql.cursors import Cursor

from chalicelib.adapters.mysql.inserts import insert
from chalicelib.adapters.mysql.rows import ending_rows, name_word_rows, text_ending_rows
from chalicelib.adapters.mysql.schema import ENDING_LENGTH
from chalicelib.dicomweb.attributes import DicomJson


def replace_name_words(cursor: Cursor, study_key: int, study: DicomJson) -> None:
    """Update the words of the study's names, and add the endings of words that are new in the archive."""
    # Names seldom change. Existing rows stay, so that most publications only read.
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
    # The row whose ending is the whole word exists if and only if the rows of all its endings do.
    pairs = ", ".join(["(%s, %s)"] * len(words))
    cursor.execute(
        f"SELECT word FROM person_name_endings WHERE (ending, word) IN ({pairs})",  # noqa: S608 - constants only
        [word for word in words for _ in range(2)],
    )
    there = {word for (word,) in cursor.fetchall()}
    # The publication of another study may insert the same word concurrently.
    ending = " ON DUPLICATE KEY UPDATE word = VALUES(word)"
    insert(cursor, "person_name_endings", ending_rows(set(words) - there), ending)


def insert_missing_text_endings(cursor: Cursor, values: Collection[tuple[int, str]]) -> None:
    """Add the endings of those values, each with its tag number, that are new in the archive."""
    if not values:
        return
    # As above: the row whose ending is the whole value (cut as all endings are) stands for the rows of all its endings.
    places = ", ".join(["(%s, %s, %s)"] * len(values))
    cursor.execute(
        f"SELECT tag, value FROM text_endings WHERE (tag, ending, value) IN ({places})",  # noqa: S608 - constants only
        [param for tag, value in sorted(values) for param in (tag, value[:ENDING_LENGTH], value)],
    )
    there = set(cursor.fetchall())
    # As above: the same value may be inserted concurrently.
    ending = " ON DUPLICATE KEY UPDATE value = VALUES(value)"
    insert(cursor, "text_endings", text_ending_rows(set(values) - there), ending)
