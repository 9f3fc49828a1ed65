"""SQL of searches: clauses of each kind of match, and nothing of a client's text in them."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters.mysql.conditions import Statement, like_pattern
from chalicelib.adapters.mysql.statements import day_range, limit_time, page_from_day_statement, page_statement
from chalicelib.dicomweb.qido.parse_match import pattern_of
from chalicelib.dicomweb.qido.query import Level, QidoQuery


def where(level: Level, *pairs: tuple[str, str]) -> tuple[str, tuple]:
    statement = page_statement(QidoQuery.parse(level, pairs))
    _, _, clauses = statement.sql.partition(" ORDER BY ")[0].partition(" WHERE ")
    return clauses, statement.params[:-2]


MEMBER = (
    "FROM series AS member FORCE INDEX (series_study_modality) WHERE member.study_key = studies.id AND member.modality"
)
MODALITY = f"0 < (SELECT COUNT(*) {MEMBER}"


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


ITEMS = "SELECT 1 FROM request_attributes WHERE request_attributes.series_key = series.id"
WORD = (
    "0 < (SELECT COUNT(*) FROM person_name_words FORCE INDEX (person_name_words_study) "
    "WHERE study_key = studies.id AND tag = %s AND word LIKE %s ESCAPE '|')"
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
            (PATIENT_NAME, "jo%", PATIENT_NAME, "doe%"),
        ),
        (
            ("PatientName", "=*Doe"),
            f"(studies.patient_name_ideographic LIKE %s ESCAPE '|' OR {WORD})",
            ("%doe", PATIENT_NAME, "doe%"),
        ),
    ],
)
def test_a_key_becomes_its_clause_with_all_options(pair, clause, params):
    options = [(name, "true") for name in ("fuzzymatching", "emptyvaluematching", "multiplevaluematching")]
    assert where(Level.SERIES, pair, *options) == (clause, params)


def test_a_limit_of_time_is_said_in_each_server_s_own_way():
    statement = Statement("SELECT 1 FROM series WHERE modality = %s", ("SELECT ",))
    assert limit_time(statement, 2.5, mariadb=False) == Statement(
        "SELECT /*+ MAX_EXECUTION_TIME(2500) */ 1 FROM series WHERE modality = %s", ("SELECT ",)
    )
    assert limit_time(statement, 2.5, mariadb=True) == Statement(
        "SET STATEMENT max_statement_time = 2.500 FOR SELECT 1 FROM series WHERE modality = %s", ("SELECT ",)
    )


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
        "SELECT studies.study_instance_uid, series.series_instance_uid, instances.sop_instance_uid, COUNT(*) OVER () "
        "FROM instances LEFT JOIN series ON series.id = instances.series_key "
        "LEFT JOIN studies ON studies.id = series.study_key "
        "ORDER BY instances.sop_instance_uid, instances.series_key LIMIT %s OFFSET %s"
    )
    assert statement.params == (11, 5)


@pytest.mark.parametrize(
    ("pairs", "days"),
    [
        ([], (0, 3652059)),
        ([("StudyDate", "20240101-20240103")], (738886, 738888)),
        ([("StudyDate", "-20240103")], (1, 738888)),
        ([("StudyDate", "20240101-"), ("StudyTime", "10-")], None),
        ([("StudyDate", '""'), ("emptyvaluematching", "true")], None),
        ([("PatientID", "P")], None),
    ],
)
def test_lists_that_only_the_date_restricts_are_ranges_of_days(pairs, days):
    assert day_range(QidoQuery.parse(Level.STUDY, pairs)) == days


def test_a_far_page_begins_at_its_day():
    query = QidoQuery.parse(Level.STUDY, [("StudyDate", "20240101-20241231"), ("limit", "5")])
    statement = page_from_day_statement(query, (738886, 739000), 3)
    assert "WHERE studies.study_date <= %s AND studies.study_date >= %s" in statement.sql
    assert statement.params == (date(2024, 4, 24), date(2024, 1, 1), 6, 3)
    everything = page_from_day_statement(query, (0, 738886), 3)
    assert "WHERE (studies.study_date <= %s OR studies.study_date IS NULL)" in everything.sql
    assert "WHERE studies.study_date IS NULL" in page_from_day_statement(query, (0, 0), 3).sql


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
