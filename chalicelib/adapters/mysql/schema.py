"""The facts that must agree with the DDL in ``schema.sql``, and the DDL itself.

Publications (which write the rows) and searches (which read them) import these facts from here, and nothing
from each other. `tests/unit/adapters/mysql/test_schema.py` compares this module with ``schema.sql``.
"""

import re
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chalicelib.dicomweb.attributes import ATTRIBUTES, BY_KEYWORD, Attribute, Level, Matching

if TYPE_CHECKING:
    from pymysql.connections import Connection

SCHEMA = Path(__file__).with_name("schema.sql")

SqlValue = str | int | date | time | None
"""A value of a column, or a parameter of a statement."""

# --- tables and columns ---------------------------------------------------------------------------

LEVEL_TABLE = {Level.STUDY: "studies", Level.SERIES: "series", Level.INSTANCE: "instances"}

REQUEST_ATTRIBUTES_SEQUENCE = BY_KEYWORD["RequestAttributesSequence"].tag
ITEM_TABLE = {REQUEST_ATTRIBUTES_SEQUENCE: "request_attributes"}
"""Tag of a sequence: the table with one row for each of its items, whose series_key refers to the series."""

NAME_COLUMN_SUFFIXES = ("", "_ideographic", "_phonetic")
"""Endings of the columns of a person name, one column for each component group."""


def stored_attributes(level: Level, sequence: str | None = None) -> list[Attribute]:
    """Attributes that have columns in the table of the level, or in that of the sequence's items."""
    return [
        attribute
        for attribute in ATTRIBUTES
        if attribute.level is level and attribute.column is not None and attribute.sequence == sequence
    ]


def columns_of(attribute: Attribute) -> tuple[str, ...]:
    """Columns of an attribute in its table: three for a person name, none if it is not stored."""
    if attribute.column is None:
        return ()
    suffixes = NAME_COLUMN_SUFFIXES if attribute.matching is Matching.NAME else ("",)
    return tuple(attribute.column + suffix for suffix in suffixes)


# --- what the columns hold ------------------------------------------------------------------------

# Lengths in characters. A longer value is cut for the index; the answer of a search has it in full.
TEXT_LENGTH = 128
NAME_LENGTH = 240
# Of the endings in text_endings. A longer text is looked up by its beginning, since each hit is checked anyway.
ENDING_LENGTH = 16

UNKNOWN_WORD = ""
"""Word of a person name whose words are not all stored: the name may contain any text."""

NO_DAY = 0
"""Day in study_days of the studies without a date; the day of a date is its proleptic Gregorian ordinal."""


def tag_number(attribute: Attribute) -> int:
    """Tag of an attribute as the column `tag` of person_name_words and text_endings holds it."""
    return int(attribute.tag, 16)


# --- indexes --------------------------------------------------------------------------------------

INDEXED = {"StudyDate", "AccessionNumber", "PatientID", "PatientName", "PatientBirthDate", "StudyDescription"}
"""Keywords of the attributes whose columns in `studies` each come first in an index."""

ORDER_INDEXED = {"StudyDate", "StudyTime", "PatientName"}
"""Keywords of the attributes whose columns are in the index studies_order."""

ORDER_INDEX = {Level.STUDY: "studies_order", Level.SERIES: "series_order", Level.INSTANCE: "instances_order"}
"""Index of each level's table that has the order of the hits."""

MODALITIES_OF_STUDY_INDEX = "series_study_modality"
WORDS_OF_STUDY_INDEX = "person_name_words_study"


# --- the DDL --------------------------------------------------------------------------------------


def apply_schema(connection: "Connection[Any]") -> None:
    """Create the tables that are missing; existing tables are not changed."""
    # Without the comments: one that ends in a semicolon would be a statement, which MySQL refuses as empty.
    text = re.sub(r"(?m)^\s*--.*$", "", SCHEMA.read_text(encoding="utf-8"))
    statements = [statement for statement in text.split(";") if statement.strip()]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
