"""SQL of searches: clauses of each kind of match, and nothing of a client's text in them."""

import re
from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters.mysql_statements import count_statement, like_pattern, page_statement
from chalicelib.dicomweb.matching import pattern_of
from chalicelib.dicomweb.qido_query import Level, QidoQuery


def where(level: Level, *pairs: tuple[str, str]) -> tuple[str, tuple]:
    statement = count_statement(QidoQuery.parse(level, pairs))
    return statement.sql.partition(" WHERE ")[2], statement.params


MODALITY = "EXISTS (SELECT 1 FROM series AS member WHERE member.study_key = studies.id AND member.modality"


@pytest.mark.parametrize(
    ("pair", "clause", "params"),
    [
        (("PatientID", "P"), "studies.patient_id = %s", ("P",)),
        (("PatientID", "*"), "", ()),
        (("PatientID", "P*_"), "studies.patient_id LIKE %s ESCAPE '|'", ("P%|_",)),
        (("StudyInstanceUID", "1,2"), "studies.study_instance_uid IN (%s, %s)", ("1", "2")),
        (("StudyDate", "20240101"), "studies.study_date = %s", (date(2024, 1, 1),)),
        (("StudyDate", "20240101-"), "studies.study_date >= %s", (date(2024, 1, 1),)),
        (("StudyDate", "-20240101"), "studies.study_date <= %s", (date(2024, 1, 1),)),
        (("StudyTime", "10-1030"), "studies.study_time BETWEEN %s AND %s", (time(10), time(10, 30, 59, 999999))),
        (("ModalitiesInStudy", "CT"), f"{MODALITY} = %s)", ("CT",)),
        (("ModalitiesInStudy", "CT,MR"), f"{MODALITY} IN (%s, %s))", ("CT", "MR")),
        (
            ("PatientName", "A"),
            "(studies.patient_name = %s OR studies.patient_name_ideographic = %s "
            "OR studies.patient_name_phonetic = %s)",
            ("a", "a", "a"),
        ),
        (("PatientName", "=A"), "studies.patient_name_ideographic = %s", ("a",)),
    ],
)
def test_a_key_becomes_its_clause(pair, clause, params):
    assert where(Level.STUDY, pair) == (clause, params)


def test_keys_of_one_sequence_are_about_one_item():
    assert where(Level.SERIES, ("00400275.00400009", "S"), ("Modality", "CT"), ("00400275.00401001", "P")) == (
        "series.modality = %s AND EXISTS (SELECT 1 FROM request_attributes "
        "WHERE request_attributes.series_key = series.id "
        "AND request_attributes.scheduled_procedure_step_id = %s "
        "AND request_attributes.requested_procedure_id = %s)",
        ("CT", "S", "P"),
    )


def test_a_page_asks_for_one_more_in_total_order():
    statement = page_statement(QidoQuery.parse(Level.INSTANCE, [("limit", "10"), ("offset", "5")]))
    assert statement.sql == (
        "SELECT studies.study_instance_uid, series.series_instance_uid, instances.sop_instance_uid "
        "FROM instances LEFT JOIN series ON series.id = instances.series_key "
        "LEFT JOIN studies ON studies.id = series.study_key "
        "ORDER BY instances.sop_instance_uid, instances.series_key LIMIT %s OFFSET %s"
    )
    assert statement.params == (11, 5)


@pytest.mark.parametrize(
    ("pairs", "tables"),
    [
        ([], "instances"),
        ([("InstanceNumber", "1")], "instances"),
        ([("Modality", "CT")], "instances JOIN series ON series.id = instances.series_key"),
        (
            [("PatientID", "P")],
            "instances JOIN series ON series.id = instances.series_key JOIN studies ON studies.id = series.study_key",
        ),
        ([("PatientID", "*")], "instances"),
    ],
)
def test_a_count_joins_only_what_it_needs(pairs, tables):
    sql = count_statement(QidoQuery.parse(Level.INSTANCE, pairs)).sql
    assert re.fullmatch(r"SELECT COUNT\(\*\) FROM (.*?)( WHERE .*)?", sql)[1] == tables


@given(st.text(min_size=1))
def test_no_text_of_a_client_is_part_of_the_sql(text):
    column = "studies.study_description"
    assert where(Level.STUDY, ("StudyDescription", text))[0] in (
        "",
        f"{column} = %s",
        f"{column} LIKE %s ESCAPE '|'",
    )


@pytest.mark.parametrize(
    ("text", "pattern"),
    [("100%*", "100|%%"), ("a_b?", "a|_b_"), ("|*", "||%"), ("\\*", "\\%"), ("***?", "%_"), ("?*", "_%")],
)
def test_only_wildcards_are_wildcards_of_like(text, pattern):
    assert like_pattern(pattern_of(text)) == pattern
