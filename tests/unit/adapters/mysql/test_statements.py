"""The statements of planned searches: pages, keys of candidate lists, days, and limits of time."""

from datetime import date

from chalicelib.adapters.mysql.conditions import Statement
from chalicelib.adapters.mysql.plan import DayRange, SearchPlan, plan
from chalicelib.adapters.mysql.statements import (
    Candidates,
    OrderedScan,
    keys_statement,
    limit_time,
    page_from_day_statement,
    page_statement,
)
from chalicelib.dicomweb.attributes import Level
from chalicelib.dicomweb.qido.query import QidoQuery
from tests.support.beginnings import bounds


def planned(level: Level, *pairs: tuple[str, str]) -> SearchPlan:
    return plan(QidoQuery.parse(level, pairs))


def test_a_page_asks_for_one_more_in_total_order():
    statement = page_statement(planned(Level.INSTANCE, ("limit", "10"), ("offset", "5")))
    assert statement.sql == (
        "SELECT studies.study_instance_uid, series.series_instance_uid, instances.sop_instance_uid, COUNT(*) OVER () "
        "FROM instances LEFT JOIN series ON series.id = instances.series_key "
        "LEFT JOIN studies ON studies.id = series.study_key "
        "ORDER BY instances.sop_instance_uid, instances.series_key LIMIT %s OFFSET %s"
    )
    assert statement.params == (11, 5)


def test_the_access_is_written_so_that_the_server_does_not_choose():
    search = planned(Level.SERIES, ("PatientID", "P"), ("limit", "5"))
    among, in_order = page_statement(search, Candidates((3, 4))), page_statement(search, OrderedScan(), look_ahead=2)
    assert among.sql.partition(" WHERE ")[0] == (
        "SELECT STRAIGHT_JOIN studies.study_instance_uid, series.series_instance_uid, COUNT(*) OVER () "
        "FROM JSON_TABLE(%s, '$[*]' COLUMNS (study_key BIGINT PATH '$')) AS candidate "
        "JOIN studies ON studies.id = candidate.study_key JOIN series ON series.study_key = studies.id"
    )
    assert among.params == ("[3, 4]", "P", 6, 0)
    assert "FROM series FORCE INDEX (series_order) JOIN studies" in in_order.sql
    assert in_order.params == ("P", 8, 0)


def test_keys_are_limited_in_each_part_of_a_candidate_list():
    [parts] = planned(Level.STUDY, ("PatientName", "*x*")).candidate_lists
    statement = keys_statement(parts, 7)
    assert statement.sql.startswith("SELECT JSON_ARRAYAGG(study_key) FROM ((SELECT study_key FROM person_name_endings ")
    assert statement.sql.endswith(
        " LIMIT %s) UNION ALL (SELECT study_key FROM person_name_words WHERE tag = %s AND word = '' LIMIT %s)) AS parts"
    )
    assert statement.params == (*bounds("x", "x%"), 0x00100010, 7, 0x00100010, 7)


def test_a_far_page_begins_at_its_day():
    search = planned(Level.STUDY, ("StudyDate", "20240101-20241231"), ("limit", "5"))
    statement = page_from_day_statement(search, DayRange(738886, 739000), 3)
    assert "WHERE studies.study_date <= %s AND studies.study_date >= %s" in statement.sql
    assert statement.params == (date(2024, 4, 24), date(2024, 1, 1), 6, 3)
    everything = page_from_day_statement(search, DayRange(0, 738886), 3)
    assert "WHERE (studies.study_date <= %s OR studies.study_date IS NULL)" in everything.sql
    assert "WHERE studies.study_date IS NULL" in page_from_day_statement(search, DayRange(0, 0), 3).sql


def test_a_limit_of_time_is_written_in_the_syntax_of_each_server():
    statement = Statement("SELECT 1 FROM series WHERE modality = %s", ("SELECT ",))
    assert limit_time(statement, 2.5, mariadb=False) == Statement(
        "SELECT /*+ MAX_EXECUTION_TIME(2500) */ 1 FROM series WHERE modality = %s", ("SELECT ",)
    )
    assert limit_time(statement, 2.5, mariadb=True) == Statement(
        "SET STATEMENT max_statement_time = 2.500 FOR SELECT 1 FROM series WHERE modality = %s", ("SELECT ",)
    )
