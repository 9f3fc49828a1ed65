"""The index on a database server: its schema, and the rows that a publication writes."""

import pytest

from chalicelib.adapters.mysql.index import MysqlIndex
from chalicelib.adapters.mysql.schema import NAME_LENGTH, TEXT_LENGTH
from chalicelib.dicomweb.attributes import ATTRIBUTES, Level, Matching
from tests.support.qido_builders import make_publication, make_series, publish, search


def test_every_searchable_attribute_has_its_column_of_the_length_that_rows_are_cut_to(connect):
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, character_maximum_length FROM information_schema.columns "
            "WHERE table_schema = DATABASE()"
        )
        lengths = dict(cursor.fetchall())
    for attribute in ATTRIBUTES:
        if attribute.matching in (Matching.TEXT, Matching.CODE) and attribute.column:
            assert lengths[attribute.column] == TEXT_LENGTH, attribute.keyword
        elif attribute.matching is Matching.NAME:
            for suffix in ("", "_ideographic", "_phonetic"):
                assert lengths[attribute.column + suffix] == NAME_LENGTH, attribute.keyword
        elif attribute.column:
            assert attribute.column in lengths, attribute.keyword


def test_ends_are_written_once_for_each_different_value(connect):
    index = MysqlIndex(connect)
    for number, patient_id in enumerate(["abc", "abc", "c", "abc"]):
        publish(index, make_publication(f"1.{number}", PatientID=patient_id))
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT tag, ending, value FROM text_endings ORDER BY ending, value")
        assert list(cursor.fetchall()) == [
            (0x00100020, b"abc", "abc"),
            (0x00100020, b"bc", "abc"),
            (0x00100020, b"c", "abc"),
            (0x00100020, b"c", "c"),
        ]
    index.close()


def test_a_publication_that_brings_no_new_value_looks_for_no_ends(connect, monkeypatch):
    index = MysqlIndex(connect)
    publish(index, make_publication("1.2", PatientID="P1"))
    looked_for = []
    monkeypatch.setattr(
        "chalicelib.adapters.mysql.publication.insert_missing_text_endings",
        lambda _cursor, values: looked_for.append(values),
    )
    publish(index, make_publication("1.2", PatientID="P1"))
    publish(index, make_publication("1.2", PatientID="P1", AccessionNumber="A1"))
    assert looked_for == [set(), {(0x00080050, "A1")}]
    index.close()


def test_a_commit_that_fails_in_its_middle_writes_nothing(connect):
    index = MysqlIndex(connect)
    broken = make_publication("1.2", [make_series("7", ["9"])])
    broken.instances[0]["0020000E"]["Value"] = ["not a series of the study"]
    with pytest.raises(KeyError), index.turn("1.2") as turn:
        turn.commit(1, broken)
    assert search(index, Level.STUDY).keys == []
    index.close()
