"""Parsing of a search request; what is found by it is for the conformance tests."""

from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.dicomweb.qido.include_fields import PrivateField
from chalicelib.dicomweb.qido.matches import (
    AllValuesMatch,
    DateRangeMatch,
    DateTimeRangeMatch,
    EmptyValueMatch,
    FuzzyNameMatch,
    PersonNameMatch,
    SingleValueMatch,
    TimeRangeMatch,
    UidListMatch,
    UniversalMatch,
    ValueListMatch,
    Wildcard,
    WildcardMatch,
)
from chalicelib.dicomweb.qido.query import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    MAX_LIMIT_OF_DATA_SETS,
    Level,
    QidoQuery,
)
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


def _literal(text: str) -> PersonNameMatch:
    [condition] = QidoQuery.parse(Level.STUDY, [("PatientName", text)]).conditions
    assert isinstance(condition.match, PersonNameMatch)
    return condition.match


@pytest.mark.parametrize(
    ("text", "words", "with_literal"),
    [
        ("jan doe", ("jan", "doe"), False),
        ("DOE^Ján^^Dr.", ("doe", "jan", "dr"), False),
        ("Doe, Jan jan", ("doe", "jan"), False),
        ("O'Brien-Smith", ("obrien", "smith"), False),
        ("yamada=山田", ("yamada", "山田"), False),
        ("*jan doe*", ("jan", "doe"), True),
        ("doe*^*jan", ("doe", "jan"), True),
        ("** jan **", ("jan",), True),
        # The vowel signs of Devanagari are no letters, and yet within the word.
        ("राम कु", ("राम", "कु"), False),
    ],
)
def test_a_fuzzy_name_is_its_words_and_with_wildcards_the_literal_match_too(text, words, with_literal):
    [condition] = QidoQuery.parse(Level.STUDY, [("PatientName", text), ("fuzzymatching", "true")]).conditions
    assert condition.match == FuzzyNameMatch(words, _literal(text) if with_literal else None)


@pytest.mark.parametrize("text", ["j?n", "jan?", "jo*n", "o'*b", "-", "'"])
def test_a_fuzzy_name_without_words_or_with_wildcards_in_them_is_matched_literally(text):
    [condition] = QidoQuery.parse(Level.STUDY, [("fuzzymatching", "true"), ("PatientName", text)]).conditions
    assert condition.match == _literal(text)


def test_a_fuzzy_name_of_too_many_words_is_refused():
    with pytest.raises(InvalidQueryError, match="words"):
        QidoQuery.parse(Level.STUDY, [("fuzzymatching", "true"), ("PatientName", " ".join(map(str, range(33))))])


@pytest.mark.parametrize(
    "name",
    ["PatientID", "PatientName", "StudyDate", "StudyTime", "SeriesNumber", "StudyInstanceUID", "ModalitiesInStudy",
     "Modality", "RequestAttributesSequence", "00400275.00400009"],
)  # fmt: skip
def test_two_quotation_marks_are_the_empty_value_of_every_kind(name):
    [condition] = QidoQuery.parse(Level.SERIES, [(name, '""'), ("emptyvaluematching", "true")]).conditions
    assert condition.match == EmptyValueMatch()


def test_two_quotation_marks_are_a_text_without_the_option():
    [condition] = QidoQuery.parse(Level.STUDY, [("PatientID", '""'), ("emptyvaluematching", "false")]).conditions
    assert condition.match == SingleValueMatch('""')


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [
        ("ModalitiesInStudy", "CT,MR", AllValuesMatch(("CT", "MR"))),
        ("ModalitiesInStudy", "CT\\MR", AllValuesMatch(("CT", "MR"))),
        ("ModalitiesInStudy", "CT", SingleValueMatch("CT")),
        ("ModalitiesInStudy", "C*", WildcardMatch(("C", ANY_RUN))),
        # These have one value: a list still means any of them.
        ("Modality", "CT,MR", ValueListMatch(("CT", "MR"))),
        ("PatientSex", "F,M", ValueListMatch(("F", "M"))),
        ("StudyInstanceUID", "1.2,1.3", UidListMatch(("1.2", "1.3"))),
    ],
)
def test_multiple_values_are_all_wanted_of_an_attribute_that_may_have_several(name, value, match):
    [condition] = QidoQuery.parse(Level.SERIES, [(name, value), ("multiplevaluematching", "true")]).conditions
    assert condition.match == match


@pytest.mark.parametrize("value", ["CT,M*", "CT,*", "CT,?"])
def test_multiple_values_hold_no_wildcards(value):
    with pytest.raises(InvalidQueryError, match="wildcards"):
        QidoQuery.parse(Level.STUDY, [("ModalitiesInStudy", value), ("multiplevaluematching", "true")])


def test_too_many_multiple_values_are_refused():
    modalities = ",".join(f"M{number}" for number in range(17))
    with pytest.raises(InvalidQueryError, match="more than 16"):
        QidoQuery.parse(Level.STUDY, [("ModalitiesInStudy", modalities), ("multiplevaluematching", "true")])


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
    assert query.fields.known_tags == tags
    assert query.warnings == ()


def test_includefield_all_may_stand_among_others():
    query = QidoQuery.parse(Level.STUDY, [("includefield", "all"), ("includefield", "PatientID")])
    assert query.fields.everything
    assert query.fields.known_tags == {"00100020"}


def test_matching_keys_are_included():
    query = QidoQuery.parse(Level.SERIES, [("00400275.00400009", "x"), ("SeriesTime", "10")])
    assert query.fields.known_tags == {"00400275", "00080031"}


@pytest.mark.parametrize("value", ["00091001", "PatientShoeSize", "00100010.00100020x9"])
def test_a_field_that_is_not_kept_is_ignored_with_a_warning(value):
    if value.endswith("x9"):
        with pytest.raises(InvalidQueryError):
            QidoQuery.parse(Level.STUDY, [("includefield", value)])
        return
    query = QidoQuery.parse(Level.STUDY, [("includefield", value)])
    assert query.warnings == (f"The includefield {value} is not supported and has been ignored.",)


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


def test_a_private_field_is_known_by_its_creator_not_by_its_block():
    pairs = [("includefield", "0009110a"), ("00090011", " ACME "), ("includefield", "00090010")]
    query = QidoQuery.parse(Level.INSTANCE, pairs)
    assert query.fields.private == {PrivateField("0009", "0A", "ACME")}
    assert query.fields.instance_tags == {"00090010"}
    assert (query.conditions, query.warnings) == ((), ())


def test_a_private_field_without_its_creator_is_ignored_with_a_warning():
    query = QidoQuery.parse(Level.INSTANCE, [("includefield", "00091001")])
    assert query.warnings == ("The includefield 00091001 lacks its private creator and has been ignored.",)


@pytest.mark.parametrize(
    "pairs",
    [
        [("00090010", "ACME")],
        [("00090010", "ACME"), ("includefield", "00091101")],
        [("00090010", ""), ("includefield", "00091001")],
        [("00090010", "ACME"), ("00090010", "OTHER"), ("includefield", "00091001")],
        [("00091001", "x")],
    ],
)
def test_a_private_parameter_that_names_no_creator_of_a_field_is_refused(pairs):
    with pytest.raises(InvalidQueryError, match="0009"):
        QidoQuery.parse(Level.INSTANCE, pairs)


def test_a_warning_names_only_as_many_fields_as_a_header_holds():
    query = QidoQuery.parse(Level.STUDY, [("includefield", ",".join(f"Nothing{n}" for n in range(5000)))])
    [warning] = query.warnings
    assert "Nothing19 and 4980 more are not supported" in warning


def test_too_long_a_list_is_refused():
    uids = ",".join(f"1.{number}" for number in range(1001))
    with pytest.raises(InvalidQueryError, match="more than 1000"):
        QidoQuery.parse(Level.STUDY, [("StudyInstanceUID", uids)])


@pytest.mark.parametrize("value", [",", "\\", ",,\\"])
def test_a_list_without_values_is_refused(value):
    with pytest.raises(InvalidQueryError, match="without values"):
        QidoQuery.parse(Level.STUDY, [("StudyInstanceUID", value)])


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
