"""The candidate lists of a search: which there are, and what each looks up."""

import pytest

from chalicelib.adapters.mysql.candidates import candidate_lists
from chalicelib.dicomweb.attributes import Level
from chalicelib.dicomweb.qido.query import QidoQuery
from tests.support.beginnings import begins, bounds

PATIENT_NAME = 0x00100010


def lists(*pairs: tuple[str, str], level: Level = Level.STUDY) -> list[list[tuple[str, tuple]]]:
    query = QidoQuery.parse(level, pairs)
    return [[(part.sql, part.params) for part in parts] for parts in candidate_lists(level, query.conditions)]


def studies(where: str) -> str:
    return f"SELECT id AS study_key FROM studies WHERE {where}"


UNSTORED = ("SELECT study_key FROM person_name_words WHERE tag = %s AND word = ''", (PATIENT_NAME,))
WORDS = "SELECT study_key FROM person_name_words WHERE tag = %s AND "
ENDINGS = (
    "SELECT study_key FROM person_name_endings "
    "STRAIGHT_JOIN person_name_words ON person_name_words.word = person_name_endings.word WHERE "
)


@pytest.mark.parametrize(
    ("pattern", "looked_up"),
    [
        ("*mit*", [(f"{ENDINGS}{begins('ending')} AND tag = %s", (*bounds("mit", "mit%"), PATIENT_NAME))]),
        ("*ith", [(f"{ENDINGS}ending = %s AND tag = %s", ("ith", PATIENT_NAME))]),
        ("*^jo*", [(f"{WORDS}{begins('word')}", (PATIENT_NAME, *bounds("jo", "jo%")))]),
        ("*^jane^*", [(f"{WORDS}word = %s", (PATIENT_NAME, "jane"))]),
        ("*O'B*", [(f"{ENDINGS}{begins('ending')} AND tag = %s", (*bounds("ob", "ob%"), PATIENT_NAME))]),
        ("*^^*", []),
        ("?", []),
    ],
)
def test_a_text_inside_a_name_is_looked_up_by_the_words_it_is_part_of(pattern, looked_up):
    assert lists(("PatientName", pattern)) == [[found, UNSTORED] for found in looked_up]


def test_the_beginning_of_a_name_is_looked_up_in_the_names_and_the_rest_in_the_words():
    columns = ("patient_name", "patient_name_ideographic", "patient_name_phonetic")
    assert lists(("PatientName", "sm*^jo*")) == [
        [(studies(begins(column)), bounds("sm", "sm%")) for column in columns],
        [(f"{WORDS}{begins('word')}", (PATIENT_NAME, *bounds("jo", "jo%"))), UNSTORED],
    ]
    assert lists(("PatientName", "=Jo")) == [[(studies("patient_name_ideographic = %s"), ("jo",))]]


def inside(column: str, ending: str) -> str:
    return (
        "SELECT studies.id AS study_key FROM text_endings "
        f"STRAIGHT_JOIN studies ON studies.{column} = text_endings.value WHERE tag = %s AND "
        f"{ending} AND value LIKE %s ESCAPE '|'"
    )


PATIENT_ID = 0x00100020
BEGINS = "ending LIKE %s ESCAPE '|'"


@pytest.mark.parametrize(
    ("pattern", "where", "ending", "value"),
    [
        ("*47*", BEGINS, "47%", "%47%"),
        ("*47", "ending = %s", "47", "%47"),
        ("?47*", BEGINS, "47%", "_47%"),
        ("*4*711*8*", BEGINS, "711%", "%4%711%8%"),
        ("*4?711", "ending = %s", "711", "%4_711"),
        ("*%_|\\*", BEGINS, "|%|_||\\%", "%|%|_||\\%"),
        ("*山田*", BEGINS, "山田%", "%山田%"),
        ("*1234567890123456", "ending = %s", "1234567890123456", "%1234567890123456"),
        ("*12345678901234567", "ending = %s", "1234567890123456", "%12345678901234567"),
        ("*12345678901234567*", BEGINS, "1234567890123456%", "%12345678901234567%"),
    ],
)
def test_a_text_inside_a_value_is_looked_up_by_its_longest_piece(pattern, where, ending, value):
    assert lists(("PatientID", pattern)) == [[(inside("patient_id", where), (PATIENT_ID, ending, value))]]


def test_a_text_inside_a_value_with_a_shorter_beginning_is_looked_up_by_the_text():
    where = inside("patient_id", BEGINS).replace("value LIKE %s ESCAPE '|'", begins("value"))
    assert lists(("PatientID", "P*4711*")) == [[(where, (PATIENT_ID, "4711%", *bounds("P", "P%4711%")))]]


@pytest.mark.parametrize(
    ("pattern", "beginning", "like"), [("P*", "P", "P%"), ("P47*7*", "P47", "P47%7%"), ("P4*71", "P4", "P4%71")]
)
def test_a_beginning_that_is_as_long_is_looked_up_in_the_values(pattern, beginning, like):
    assert lists(("PatientID", pattern)) == [[(studies(begins("patient_id")), bounds(beginning, like))]]


def test_a_pattern_without_a_text_is_looked_up_in_the_values():
    assert lists(("PatientID", "?*?")) == [[(studies("patient_id LIKE %s ESCAPE '|'"), ("_%_",))]]


def test_lists_that_are_likely_short_come_first():
    found = lists(
        ("ModalitiesInStudy", "CT"),
        ("StudyDescription", "??"),
        ("AccessionNumber", "*x*"),
        ("StudyDate", "20240101-"),
        ("PatientID", "P"),
        level=Level.SERIES,
    )
    assert [parts[0][0] for parts in found] == [
        studies("patient_id = %s"),
        inside("accession_number", BEGINS),
        "SELECT study_key FROM series WHERE modality = %s",
        studies("study_date >= %s"),
        studies("study_description LIKE %s ESCAPE '|'"),
    ]


STEP = "scheduled_procedure_step_id"


@pytest.mark.parametrize(
    ("pattern", "clause", "values"),
    [("S1", f"{STEP} = %s", ("S1",)), ("S*1", begins(STEP), bounds("S", "S%"))],
)
def test_items_of_sequences_lead_to_their_studies(pattern, clause, values):
    [[(sql, params)]] = lists(("00400275.00400009", pattern), level=Level.SERIES)
    assert sql.endswith(f"series.id = request_attributes.series_key WHERE {clause}")
    assert params == values
    assert lists(("00400275.00400009", "*1"), level=Level.SERIES) == []


def test_the_order_of_studies_begins_with_their_date_and_needs_no_list_of_it():
    assert lists(("StudyDate", "20240101-")) == []


def test_what_no_index_has_at_hand_gives_no_list():
    assert lists(("PatientSex", "F"), ("StudyID", "1"), ("StudyTime", "10-11")) == []
