"""Parsing of a search request; what is found by it is for the conformance tests."""

from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.dicomweb.matching import (
    DateRangeMatch,
    DateTimeRangeMatch,
    PersonNameMatch,
    SingleValueMatch,
    TimeRangeMatch,
    UidListMatch,
    UniversalMatch,
    ValueListMatch,
    Wildcard,
    WildcardMatch,
)
from chalicelib.dicomweb.qido_query import DEFAULT_LIMIT, MAX_LIMIT, Level, QidoQuery
from chalicelib.errors import BadRequestError, InvalidQueryError, InvalidUidError

ANY_RUN, ANY_ONE = Wildcard.ANY_RUN, Wildcard.ANY_ONE
LAST_MOMENT = 999999


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [
        ("PatientID", "", UniversalMatch()),
        ("PatientID", " ", UniversalMatch()),
        ("PatientID", "***", UniversalMatch()),
        ("PatientID", "a,b", SingleValueMatch("a,b")),
        ("PatientID", "a\\b", SingleValueMatch("a\\b")),
        ("PatientID", "a**b?", WildcardMatch(("a", ANY_RUN, "b", ANY_ONE))),
        ("StudyInstanceUID", "1.2", UidListMatch(("1.2",))),
        ("StudyInstanceUID", "1.2,1.3\\1.2,", UidListMatch(("1.2", "1.3"))),
        ("StudyInstanceUID", "*", UniversalMatch()),
        ("ModalitiesInStudy", "CT", SingleValueMatch("CT")),
        ("ModalitiesInStudy", "CT\\MR", ValueListMatch(("CT", "MR"))),
        ("ModalitiesInStudy", "CT,*", UniversalMatch()),
        ("StudyDate", "20240229", DateRangeMatch(date(2024, 2, 29), date(2024, 2, 29))),
        ("StudyDate", "1993.08.22", DateRangeMatch(date(1993, 8, 22), date(1993, 8, 22))),
        ("StudyDate", "-20240229", DateRangeMatch(None, date(2024, 2, 29))),
        ("StudyDate", "*", UniversalMatch()),
        ("StudyTime", "10", TimeRangeMatch(time(10), time(10, 59, 59, LAST_MOMENT))),
        ("StudyTime", "101500.5-", TimeRangeMatch(time(10, 15, 0, 500000), None)),
        ("StudyTime", "235960", TimeRangeMatch(time(23, 59, 59), time(23, 59, 59, LAST_MOMENT))),
        ("StudyTime", "10:15", TimeRangeMatch(time(10, 15), time(10, 15, 59, LAST_MOMENT))),
        ("StudyTime", "*", UniversalMatch()),
        ("PatientName", "*", UniversalMatch()),
        ("PatientName", "^^", UniversalMatch()),
        ("PatientName", "=", UniversalMatch()),
        ("PatientName", "DOE^John^", PersonNameMatch(SingleValueMatch("doe^john"))),
        ("PatientName", "Dö*", PersonNameMatch(WildcardMatch(("do", ANY_RUN)))),
        # A full-width asterisk (U+FF0A) is no wildcard, though folding makes a plain one of it.
        ("PatientName", "a\uff0a?", PersonNameMatch(WildcardMatch(("a*", ANY_ONE)))),
        ("PatientName", "a=*=c", PersonNameMatch(None, (SingleValueMatch("a"), None, SingleValueMatch("c")))),
    ],
)
def test_a_value_becomes_its_kind_of_match(name, value, match):
    [condition] = QidoQuery.parse(Level.STUDY, [(name, value)]).conditions
    assert condition.attribute.keyword == name
    assert condition.match == match


def test_numbers_are_read_as_numbers():
    for text in ("7", "+07", " 7 "):
        [condition] = QidoQuery.parse(Level.SERIES, [("SeriesNumber", text)]).conditions
        assert condition.match == SingleValueMatch(7)
    [condition] = QidoQuery.parse(Level.SERIES, [("SeriesNumber", "*")]).conditions
    assert condition.match == UniversalMatch()


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


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ("PatientName", {"00100010"}),
        ("00100010,StudyDate", {"00100010", "00080020"}),
        ("0008103e", {"0008103E"}),
        ("RequestAttributesSequence.00401001", {"00400275"}),
        ("SpecificCharacterSet,00081190", set()),
        ("TimezoneOffsetFromUTC", {"00080201"}),
    ],
)
def test_includefield_takes_keywords_tags_and_lists(value, tags):
    query = QidoQuery.parse(Level.SERIES, [("includefield", value)])
    assert query.included_tags == tags
    assert query.warnings == ()


def test_includefield_all_may_stand_among_others():
    query = QidoQuery.parse(Level.STUDY, [("includefield", "all"), ("includefield", "PatientID")])
    assert query.include_all
    assert query.included_tags == {"00100020"}


def test_matching_keys_are_included():
    query = QidoQuery.parse(Level.SERIES, [("00400275.00400009", "x"), ("SeriesTime", "10")])
    assert query.included_tags == {"00400275", "00080031"}


@pytest.mark.parametrize("value", ["00091001", "PatientShoeSize", "00100010.00100020x9"])
def test_a_field_that_is_not_kept_is_ignored_with_a_warning(value):
    if value.endswith("x9"):
        with pytest.raises(InvalidQueryError):
            QidoQuery.parse(Level.STUDY, [("includefield", value)])
        return
    query = QidoQuery.parse(Level.STUDY, [("includefield", value)])
    assert query.warnings == (f"The includefield {value} is not supported and has been ignored.",)


def test_too_long_a_list_is_refused():
    uids = ",".join(f"1.{number}" for number in range(1001))
    with pytest.raises(InvalidQueryError, match="more than 1000"):
        QidoQuery.parse(Level.STUDY, [("StudyInstanceUID", uids)])


@pytest.mark.parametrize("value", [",", "\\", ",,\\"])
def test_a_list_without_values_is_refused(value):
    with pytest.raises(InvalidQueryError, match="without values"):
        QidoQuery.parse(Level.STUDY, [("StudyInstanceUID", value)])


NAMES = st.sampled_from(["PatientID", "PatientName", "StudyDate", "StudyTime", "SeriesNumber", "StudyInstanceUID",
                         "ModalitiesInStudy", "limit", "offset", "includefield", "fuzzymatching"])  # fmt: skip


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
