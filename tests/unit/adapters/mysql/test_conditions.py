"""The conditions of searches as SQL: the clause of each kind of match, and no text of a client in it."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters.mysql.conditions import like_pattern
from chalicelib.adapters.mysql.plan import plan
from chalicelib.dicomweb.attributes import Level
from chalicelib.dicomweb.qido.parse_match import pattern_of
from chalicelib.dicomweb.qido.query import QidoQuery
from tests.support.beginnings import begins, bounds


def where(level: Level, *pairs: tuple[str, str]) -> tuple[str, tuple]:
    statement = plan(QidoQuery.parse(level, pairs)).where
    return statement.sql.removeprefix(" WHERE "), statement.params


MEMBER = (
    "FROM series AS member FORCE INDEX (series_study_modality) WHERE member.study_key = studies.id AND member.modality"
)
MODALITY = f"0 < (SELECT COUNT(*) {MEMBER}"


@pytest.mark.parametrize(
    ("pair", "clause", "params"),
    [
        (("PatientID", "P"), "studies.patient_id = %s", ("P",)),
        (("PatientID", "*"), "", ()),
        (("PatientID", "P*_"), begins("studies.patient_id"), bounds("P", "P%|_")),
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


ITEMS = "SELECT 1 FROM request_attributes WHERE request_attributes.series_key = series.id"
WORD = (
    "0 < (SELECT COUNT(*) FROM person_name_words FORCE INDEX (person_name_words_study) "
    f"WHERE study_key = studies.id AND tag = %s AND {begins('word')})"
)
PATIENT_NAME = 0x00100010


@pytest.mark.parametrize(
    ("pair", "clause", "params"),
    [
        (("PatientID", '""'), "studies.patient_id IS NULL", ()),
        (("StudyDate", '""'), "studies.study_date IS NULL", ()),
        (
            ("PatientName", '""'),
            "studies.patient_name IS NULL AND studies.patient_name_ideographic IS NULL "
            "AND studies.patient_name_phonetic IS NULL",
            (),
        ),
        (("ModalitiesInStudy", '""'), f"NOT EXISTS (SELECT 1 {MEMBER} IS NOT NULL)", ()),
        (("RequestAttributesSequence", '""'), f"NOT EXISTS ({ITEMS})", ()),
        (
            ("00400275.00401001", '""'),
            f"(EXISTS ({ITEMS} AND request_attributes.requested_procedure_id IS NULL) OR NOT EXISTS ({ITEMS}))",
            (),
        ),
        (
            ("ModalitiesInStudy", "CT,MR"),
            f"{MODALITY} = %s) AND {MODALITY} = %s)",
            ("CT", "MR"),
        ),
        (
            ("PatientName", "Jo Doe"),
            f"{WORD} AND {WORD}",
            (PATIENT_NAME, *bounds("jo", "jo%"), PATIENT_NAME, *bounds("doe", "doe%")),
        ),
        (
            ("PatientName", "=*Doe"),
            f"(studies.patient_name_ideographic LIKE %s ESCAPE '|' OR {WORD})",
            ("%doe", PATIENT_NAME, *bounds("doe", "doe%")),
        ),
    ],
)
def test_a_key_becomes_its_clause_with_all_options(pair, clause, params):
    options = [(name, "true") for name in ("fuzzymatching", "emptyvaluematching", "multiplevaluematching")]
    assert where(Level.SERIES, pair, *options) == (clause, params)


def test_keys_of_one_sequence_are_about_one_item():
    assert where(Level.SERIES, ("00400275.00400009", "S"), ("Modality", "CT"), ("00400275.00401001", "P")) == (
        "series.modality = %s AND EXISTS (SELECT 1 FROM request_attributes "
        "WHERE request_attributes.series_key = series.id "
        "AND request_attributes.scheduled_procedure_step_id = %s "
        "AND request_attributes.requested_procedure_id = %s)",
        ("CT", "S", "P"),
    )


@given(st.text(min_size=1))
def test_no_text_of_a_client_is_part_of_the_sql(text):
    column = "studies.study_description"
    assert where(Level.STUDY, ("StudyDescription", text))[0] in (
        "",
        f"{column} = %s",
        f"{column} LIKE %s ESCAPE '|'",
        begins(column),
    )


@pytest.mark.parametrize(
    ("text", "pattern"),
    [("100%*", "100|%%"), ("a_b?", "a|_b_"), ("|*", "||%"), ("\\*", "\\%"), ("***?", "%_"), ("?*", "_%")],
)
def test_only_wildcards_are_wildcards_of_like(text, pattern):
    assert like_pattern(pattern_of(text)) == pattern
