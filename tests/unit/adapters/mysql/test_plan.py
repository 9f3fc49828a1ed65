"""What a search is planned to do, by its query alone."""

import pytest

from chalicelib.adapters.mysql.plan import DayRange, SearchPlan, plan
from chalicelib.dicomweb.attributes import Level
from chalicelib.dicomweb.qido.query import QidoQuery


def planned(level: Level, *pairs: tuple[str, str], **path: str) -> SearchPlan:
    return plan(QidoQuery.parse(level, pairs, **path))


EMPTY_VALUES = ("emptyvaluematching", "true")


def test_the_uids_of_the_path_and_the_keys_restrict_a_search_and_universal_matches_do_not():
    search = planned(
        Level.INSTANCE,
        ("PatientID", "*"),
        ("SOPClassUID", "1.5"),
        study_instance_uid="1.2",
        series_instance_uid="1.2.1",
    )
    assert [condition.attribute.keyword for condition in search.conditions] == [
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "SOPClassUID",
    ]
    assert search.where.sql == (
        " WHERE studies.study_instance_uid IN (%s) AND series.series_instance_uid IN (%s) "
        "AND instances.sop_class_uid IN (%s)"
    )
    assert search.where.params == ("1.2", "1.2.1", "1.5")


def test_a_search_without_conditions_has_no_where_clause():
    search = planned(Level.SERIES, ("limit", "7"), ("offset", "3"))
    assert (search.level, search.limit, search.offset) == (Level.SERIES, 7, 3)
    assert (search.conditions, search.where.sql, search.where.params) == ((), "", ())


@pytest.mark.parametrize(
    ("pairs", "days"),
    [
        ([], (0, 3652059)),
        ([("StudyDate", "*")], (0, 3652059)),
        ([("StudyDate", "20240101-20240103")], (738886, 738888)),
        ([("StudyDate", "-20240103")], (1, 738888)),
        ([("StudyDate", "20240101-")], (738886, 3652059)),
    ],
)
def test_searches_that_only_the_date_restricts_are_ranges_of_days(pairs, days):
    search = planned(Level.STUDY, *pairs)
    assert (search.days, search.days_only, search.candidate_lists) == (DayRange(*days), True, ())


@pytest.mark.parametrize(
    ("pairs", "days"),
    [
        ([("StudyDate", "20240101-"), ("StudyTime", "10-")], DayRange(738886, 3652059)),
        ([("StudyDate", "20240101"), ("PatientID", "P")], DayRange(738886, 738886)),
        ([("StudyDate", '""'), EMPTY_VALUES], None),
        ([("PatientBirthDate", "20240101-")], None),
        ([("PatientID", "P")], None),
    ],
)
def test_days_restrict_other_searches_without_being_all_that_restricts_them(pairs, days):
    search = planned(Level.STUDY, *pairs)
    assert (search.days, search.days_only) == (days, False)


def test_days_are_those_of_searches_for_studies():
    for level in (Level.SERIES, Level.INSTANCE):
        assert (planned(level).days, planned(level).days_only) == (None, False)
        assert planned(level, ("StudyDate", "20240101")).days is None


def test_a_search_whose_uids_name_an_entity_needs_no_candidate_list():
    for search in (
        planned(Level.STUDY, ("StudyInstanceUID", "1.2"), ("PatientID", "P")),
        planned(Level.SERIES, ("PatientID", "P"), study_instance_uid="1.2"),
    ):
        assert (search.names_entity, search.candidate_lists) == (True, ())
    other = planned(Level.INSTANCE, ("SOPClassUID", "1.2"), ("StudyInstanceUID", "*"), ("PatientID", "P"))
    assert (other.names_entity, len(other.candidate_lists)) == (False, 1)


@pytest.mark.parametrize(
    ("level", "keys", "covered"),
    [
        (Level.STUDY, ["StudyDate", "StudyTime", "PatientName"], True),
        (Level.STUDY, ["PatientName", "PatientID"], False),
        (Level.STUDY, ["PatientName", "ModalitiesInStudy"], False),
        (Level.SERIES, ["PatientName"], False),
    ],
)
def test_the_index_with_the_order_of_studies_covers_dates_times_and_names_of_patients(level, keys, covered):
    values = {"StudyDate": "20240101", "StudyTime": "10", "PatientName": "Doe", "PatientID": "P"}
    assert planned(level, *((key, values.get(key, "CT")) for key in keys)).order_covers_conditions is covered
