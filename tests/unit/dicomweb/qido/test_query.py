"""Whole search requests: combined ranges, paging, the path, and arbitrary text."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.dicomweb.attributes import Level
from chalicelib.dicomweb.qido.matches import (
    DateTimeRangeMatch,
    FuzzyNameMatch,
)
from chalicelib.dicomweb.qido.query import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    MAX_LIMIT_OF_DATA_SETS,
    QidoQuery,
)
from chalicelib.errors import BadRequestError, InvalidQueryError, InvalidUidError

LAST_MOMENT = 999999


def test_ranges_of_dates_and_times_are_one_range_of_moments():
    query = QidoQuery.parse(Level.STUDY, [("StudyTime", "10-11"), ("StudyDate", "20240101-20240102")])
    [condition] = query.conditions
    assert condition.attribute.keyword == "StudyDate"
    assert condition.match == DateTimeRangeMatch(
        datetime(2024, 1, 1, 10), datetime(2024, 1, 2, 11, 59, 59, LAST_MOMENT)
    )


@pytest.mark.parametrize(
    ("dates", "times"),
    [("20240101-20240102", "1030"), ("20240101-", "10-11"), ("20240101", "10-11"), ("20240101-20240102", "")],
)
def test_other_dates_and_times_are_matched_each_for_itself(dates, times):
    assert len(QidoQuery.parse(Level.STUDY, [("StudyTime", times), ("StudyDate", dates)]).conditions) == 2


@pytest.mark.parametrize(("dates", "times"), [("20240101", "11-10"), ("20240101-20240101", "11-10"), ("", "11-10")])
def test_a_range_of_times_that_ends_before_it_begins_is_refused(dates, times):
    with pytest.raises(InvalidQueryError, match="before"):
        QidoQuery.parse(Level.STUDY, [("StudyTime", times), ("StudyDate", dates)])


def test_page_has_a_default_and_a_maximum():
    query = QidoQuery.parse(Level.STUDY, [])
    assert (query.limit, query.offset) == (DEFAULT_LIMIT, 0)
    query = QidoQuery.parse(Level.STUDY, [("limit", "999999"), ("offset", "12")])
    assert (query.limit, query.offset) == (MAX_LIMIT, 12)


def test_path_uids_are_checked():
    query = QidoQuery.parse(Level.INSTANCE, [], study_instance_uid="1.2", series_instance_uid="1.3")
    assert (query.study_instance_uid, query.series_instance_uid) == ("1.2", "1.3")
    with pytest.raises(InvalidUidError):
        QidoQuery.parse(Level.INSTANCE, [], study_instance_uid="../1")
    with pytest.raises(InvalidUidError):
        QidoQuery.parse(Level.SERIES, [], study_instance_uid="")


def test_matching_keys_are_included():
    query = QidoQuery.parse(Level.SERIES, [("00400275.00400009", "x"), ("SeriesTime", "10")])
    assert query.fields.known_tags == {"00400275", "00080031"}


def test_fields_outside_the_table_are_known_where_a_data_set_can_answer_them():
    pairs = [("includefield", "SliceThickness,7FE00010"), ("includefield", "00400275.00400007,PatientShoeSize")]
    query = QidoQuery.parse(Level.INSTANCE, [*pairs, ("limit", "1000")])
    assert query.fields.instance_tags == {"00180050", "7FE00010", "00400275"}
    assert query.warnings == ("The includefield PatientShoeSize is not supported and has been ignored.",)
    assert query.limit == MAX_LIMIT_OF_DATA_SETS
    query = QidoQuery.parse(Level.SERIES, pairs)
    assert not query.fields.need_data_set
    assert query.limit == DEFAULT_LIMIT
    assert query.warnings == (
        "The includefields SliceThickness, 7FE00010, 00400275.00400007, PatientShoeSize are not supported "
        "and have been ignored.",
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "SeriesDescription",
            "SeriesDescription is an attribute of the series level and cannot be matched in a search",
        ),
        ("00080060", "00080060 is an attribute of the series level and cannot be matched in a search for studies"),
        ("PatientAge", "PatientAge is neither a search parameter nor a searchable attribute"),
    ],
)
def test_a_key_that_is_not_searchable_at_the_level_is_refused(name, message):
    with pytest.raises(InvalidQueryError, match=message):
        QidoQuery.parse(Level.STUDY, [(name, "x")])


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("limit", "-1", "limit is not"),
        ("offset", "1.5", "offset is not"),
        ("offset", "9" * 20, "offset is not"),
        ("fuzzymatching", "yes", "fuzzymatching is neither"),
    ],
)
def test_a_parameter_that_is_not_of_its_kind_is_refused(name, value, message):
    with pytest.raises(InvalidQueryError, match=message):
        QidoQuery.parse(Level.STUDY, [(name, value)])


def test_options_count_whatever_their_place():
    pairs = [("PatientName", "doe"), ("fuzzymatching", "true")]
    for query in (QidoQuery.parse(Level.STUDY, pairs), QidoQuery.parse(Level.STUDY, pairs[::-1])):
        assert [condition.match for condition in query.conditions] == [FuzzyNameMatch(("doe",))]


NAMES = st.sampled_from(["PatientID", "PatientName", "StudyDate", "StudyTime", "SeriesNumber", "StudyInstanceUID",
                         "ModalitiesInStudy", "limit", "offset", "includefield", "fuzzymatching", "emptyvaluematching",
                         "multiplevaluematching", "00090010"])  # fmt: skip


@given(st.lists(st.tuples(NAMES | st.text(), st.text()), max_size=5))
def test_any_request_is_a_query_or_a_bad_request(pairs):
    try:
        query = QidoQuery.parse(Level.SERIES, pairs)
    except BadRequestError:
        return
    assert 0 <= query.limit <= MAX_LIMIT


@given(
    st.text(alphabet="<>'\";%", min_size=1), st.sampled_from(["StudyDate", "StudyTime", "limit", "StudyInstanceUID"])
)
def test_a_message_never_repeats_the_client_s_text(text, name):
    for pair in ((name, text), (text, "x")):
        with pytest.raises(BadRequestError) as caught:
            QidoQuery.parse(Level.STUDY, [pair])
        assert not set("<>'\";%") & set(caught.value.message)
