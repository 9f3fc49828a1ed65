"""Documents as rows of the index."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters.mysql.rows import (
    day_number,
    ending_rows,
    name_word_rows,
    request_attribute_rows,
    row_of,
    text_ending_rows,
    text_values,
)
from chalicelib.dicomweb.attributes import ATTRIBUTES, Level
from tests.support.qido_builders import document


def test_a_study_becomes_a_row():
    row = row_of(
        document(
            StudyInstanceUID="1.2",
            StudyDate="20240430",
            StudyTime="1015",
            PatientID=" P ",
            PatientName="Yamada^Tarou=山田^太郎",
            ModalitiesInStudy=["CT"],
        ),
        Level.STUDY,
    )
    assert {column: value for column, value in row.items() if value is not None} == {
        "study_instance_uid": "1.2",
        "study_date": date(2024, 4, 30),
        "study_time": time(10, 15),
        "patient_id": "P",
        "patient_name": "yamada^tarou",
        "patient_name_ideographic": "山田^太郎",
    }
    assert row["accession_number"] is None


@pytest.mark.parametrize(
    ("name", "told_whole"),
    [
        (" ".join(f"w{number}" for number in range(32)), True),
        (" ".join(f"w{number}" for number in range(33)), False),
        ("x" * 64, True),
        ("x" * 65, False),
        ("ab-" * 80, True),
        ("ab-" * 81, False),
    ],
)
def test_a_name_that_its_words_do_not_tell_whole_is_marked(name, told_whole):
    rows = name_word_rows({"00100010": {"vr": "PN", "Value": [{"Alphabetic": name}]}})
    assert ((0x00100010, "") not in rows) is told_whole


def test_endings_are_of_each_word_once_and_in_order():
    assert [(row["ending"], row["word"]) for row in ending_rows(["ab", "b", "ab"])] == [
        ("ab", "ab"),
        ("b", "ab"),
        ("b", "b"),
    ]


def test_values_in_which_texts_are_looked_for_are_those_of_the_row():
    row = row_of(
        document(StudyInstanceUID="1.2", PatientID="P" * 200, StudyDescription=" Knee ", StudyID="S"), Level.STUDY
    )
    assert text_values(row) == {(0x00100020, "P" * 128), (0x00081030, "Knee")}


def test_ends_of_values_are_cut_and_in_order():
    rows = text_ending_rows([(2, "ab"), (1, "12345678901234567"), (2, "b")])
    assert [(row["tag"], row["ending"], row["value"]) for row in rows if row["tag"] == 2] == [
        (2, "ab", "ab"),
        (2, "b", "ab"),
        (2, "b", "b"),
    ]
    endings = [row["ending"] for row in rows if row["tag"] == 1]
    assert len(endings) == 17
    assert {"1234567890123456", "2345678901234567", "345678901234567", "7"} < set(endings)


def test_studies_without_a_date_are_counted_by_day_0():
    assert day_number({"study_date": None}) == 0
    assert day_number({"study_date": date(1, 1, 1)}) == 1


def test_values_are_cut_to_the_column():
    row = row_of(document(PatientID="x" * 500, PatientName="y" * 500), Level.STUDY)
    assert (len(row["patient_id"]), len(row["patient_name"])) == (128, 240)


def test_a_value_that_is_cut_does_not_end_in_blanks():
    row = row_of(document(PatientID="x" * 126 + "  y", StudyDescription="x" * 127 + " y"), Level.STUDY)
    assert (row["patient_id"], row["study_description"]) == ("x" * 126, "x" * 127)


@pytest.mark.parametrize(
    ("keyword", "column", "value"),
    [
        ("SeriesDate", "series_date", "2024"),
        ("SeriesTime", "series_time", "noon"),
        ("SeriesNumber", "series_number", "1.5"),
        ("SeriesInstanceUID", "series_instance_uid", "1.2/../3"),
        ("Modality", "modality", None),
    ],
)
def test_what_is_no_value_becomes_null(keyword, column, value):
    assert row_of(document(**{keyword: value}), Level.SERIES)[column] is None


def test_items_of_a_sequence_become_rows_also_empty_ones():
    items = [{"00400009": {"vr": "SH", "Value": ["S"]}}, {}, "hostile"]
    series = {"00400275": {"vr": "SQ", "Value": items}}
    assert request_attribute_rows(series) == [
        {"scheduled_procedure_step_id": "S", "requested_procedure_id": None},
        {"scheduled_procedure_step_id": None, "requested_procedure_id": None},
    ]
    assert request_attribute_rows({}) == []


def test_words_of_all_names_become_rows_of_their_attribute():
    study = document(PatientName="Yamada^Tarou=山田^太郎", ReferringPhysicianName="O'Brien^Ann")
    patient, physician = 0x00100010, 0x00080090
    assert name_word_rows(study) == {
        (patient, "yamada"),
        (patient, "tarou"),
        (patient, "山田"),
        (patient, "太郎"),
        (patient, "山田太郎"),
        (physician, "obrien"),
        (physician, "ann"),
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=6,
)
ELEMENTS = st.fixed_dictionaries({"vr": st.just("LO"), "Value": JSON | st.lists(JSON, max_size=3)}) | JSON
DOCUMENTS = st.dictionaries(st.sampled_from([attribute.tag for attribute in ATTRIBUTES]), ELEMENTS, max_size=6)


@given(DOCUMENTS)
def test_no_document_raises(hostile):
    for level in Level:
        row_of(hostile, level)
    text_ending_rows(text_values(row_of(hostile, Level.STUDY)))
    name_word_rows(hostile)
    request_attribute_rows(hostile)
