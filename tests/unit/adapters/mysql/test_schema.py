"""The facts that the code has about the tables, compared with the DDL."""

import re
from typing import Any

import pytest

from chalicelib.adapters.mysql import schema
from chalicelib.dicomweb.attributes import ATTRIBUTES, BY_KEYWORD, Attribute, Level, Matching
from chalicelib.dicomweb.qido.person_names import MAX_WORD_LENGTH
from tests.support.fake_connection import FakeConnection


def tables() -> dict[str, str]:
    """Name of each table of the DDL, with what stands between its parentheses."""
    text = re.sub(r"--.*", "", schema.SCHEMA.read_text(encoding="utf-8"))
    return dict(re.findall(r"CREATE TABLE IF NOT EXISTS (\w+) \((.*?)\n\) ENGINE", text, re.DOTALL))


def columns(table: str) -> dict[str, str]:
    """Name of each column of a table, with its type."""
    return dict(re.findall(r"^    ([a-z]\w*) ([A-Z]+(?:\(\d+\))?)", tables()[table], re.MULTILINE))


def collations(table: str) -> dict[str, str]:
    """Name of each column of a table that has a collation, with it."""
    return dict(re.findall(r"^    ([a-z]\w*) [A-Z].*COLLATE (\w+)", tables()[table], re.MULTILINE))


def indexes(table: str) -> dict[str, list[str]]:
    """Name of each secondary index of a table, with its columns."""
    found = re.findall(r"KEY (\w+) \(([^)]*)\)", tables()[table])
    return {name: re.findall(r"\w+", listed) for name, listed in found}


def table_of(attribute: Attribute) -> str:
    return schema.ITEM_TABLE[attribute.sequence] if attribute.sequence else schema.LEVEL_TABLE[attribute.level]


TYPES = {
    Matching.UID: "VARCHAR(64)",
    Matching.TEXT: "VARCHAR(128)",
    Matching.CODE: "VARCHAR(128)",
    Matching.NAME: "VARCHAR(240)",
    Matching.DATE: "DATE",
    Matching.TIME: "TIME(6)",
    Matching.NUMBER: "INT",
}
STORED = [attribute for attribute in ATTRIBUTES if attribute.column]


@pytest.mark.parametrize("attribute", STORED, ids=lambda attribute: attribute.keyword)
def test_every_stored_attribute_has_its_columns_of_the_type_of_its_matching(attribute):
    table, wanted = table_of(attribute), TYPES[attribute.matching]
    there = {column: columns(table).get(column) for column in schema.columns_of(attribute)}
    assert there == dict.fromkeys(there, wanted), f"table {table} of {schema.SCHEMA.name}"


@pytest.mark.parametrize("attribute", STORED, ids=lambda attribute: attribute.keyword)
def test_every_stored_text_is_compared_byte_by_byte(attribute):
    table = table_of(attribute)
    there = {column: collations(table).get(column) for column in schema.columns_of(attribute)}
    wanted = "ascii_bin" if attribute.matching is Matching.UID else "utf8mb4_bin"
    is_text = TYPES[attribute.matching].startswith("VARCHAR")
    assert there == dict.fromkeys(there, wanted if is_text else None), f"table {table} of {schema.SCHEMA.name}"


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        ("studies", {"id"}),
        ("series", {"id", "study_key"}),
        ("instances", {"series_key"}),
        ("request_attributes", {"series_key", "item"}),
    ],
)
def test_every_column_is_a_key_or_that_of_a_stored_attribute(table, keys):
    stored = {column for attribute in STORED if table_of(attribute) == table for column in schema.columns_of(attribute)}
    assert set(columns(table)) == keys | stored


def test_a_name_has_a_column_for_each_component_group_and_what_is_not_stored_has_none():
    assert schema.columns_of(BY_KEYWORD["PatientName"]) == (
        "patient_name",
        "patient_name_ideographic",
        "patient_name_phonetic",
    )
    assert schema.columns_of(BY_KEYWORD["PatientID"]) == ("patient_id",)
    assert schema.columns_of(BY_KEYWORD["ModalitiesInStudy"]) == ()


def test_values_words_and_endings_are_as_long_as_their_columns():
    assert (schema.TEXT_LENGTH, schema.NAME_LENGTH, schema.ENDING_LENGTH, MAX_WORD_LENGTH) == (128, 240, 16, 64)
    # The endings of texts are stored as bytes, of which a character of UTF-8 has at most four.
    assert columns("text_endings") == {"tag": "INT", "ending": "VARBINARY(64)", "value": "VARCHAR(128)"}
    assert columns("person_name_words")["word"] == "VARCHAR(64)"
    assert columns("person_name_endings") == {"ending": "VARCHAR(64)", "word": "VARCHAR(64)"}


def test_the_indexed_attributes_are_those_whose_columns_come_first_in_an_index():
    first = {listed[0] for listed in indexes("studies").values()}
    assert first == {"study_instance_uid"} | {
        column for keyword in schema.INDEXED for column in schema.columns_of(BY_KEYWORD[keyword])
    }


def test_the_endings_of_indexed_texts_of_studies_are_stored_and_of_nothing_else():
    stored = [attribute for attribute in ATTRIBUTES if attribute.ends_indexed]
    assert {attribute.keyword for attribute in stored} <= schema.INDEXED
    assert {(attribute.level, attribute.matching) for attribute in stored} == {(Level.STUDY, Matching.TEXT)}


def test_the_index_with_the_order_of_studies_has_the_columns_of_the_attributes_that_it_is_said_to_cover():
    assert indexes("studies")["studies_order"][:3] == ["study_date", "study_time", "study_instance_uid"]
    assert set(indexes("studies")["studies_order"]) == {"study_instance_uid"} | {
        column for keyword in schema.ORDER_INDEXED for column in schema.columns_of(BY_KEYWORD[keyword])
    }


def test_the_indexes_that_searches_name_exist():
    for level, index in schema.ORDER_INDEX.items():
        assert index in indexes(schema.LEVEL_TABLE[level])
    assert indexes("series")[schema.MODALITIES_OF_STUDY_INDEX] == ["study_key", "modality"]
    assert indexes("person_name_words")[schema.WORDS_OF_STUDY_INDEX] == ["study_key"]


def test_person_names_are_attributes_of_studies_whose_words_are_stored():
    assert {attribute.level for attribute in ATTRIBUTES if attribute.matching is Matching.NAME} == {Level.STUDY}


def test_tags_are_stored_as_numbers():
    assert schema.tag_number(BY_KEYWORD["PatientID"]) == 0x00100020


def test_each_table_is_created_by_one_statement_without_comments():
    connection: Any = FakeConnection()
    schema.apply_schema(connection)
    statements = [statement for statement, _ in connection.executed]
    created = [re.match(r"CREATE TABLE IF NOT EXISTS (\w+) \(", statement) for statement in statements]
    assert [found and found.group(1) for found in created] == list(tables())
    assert not [statement for statement in statements if "--" in statement or ";" in statement]
