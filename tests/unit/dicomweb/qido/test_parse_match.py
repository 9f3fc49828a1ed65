"""How the text of a matching key is parsed (PS3.4 §C.2.2.2); the conformance tests show which studies it finds."""

from datetime import date, time

import pytest

from chalicelib.dicomweb.attributes import BY_KEYWORD, BY_PATH
from chalicelib.dicomweb.qido.matches import (
    AllValuesMatch,
    DateRangeMatch,
    EmptyValueMatch,
    FuzzyNameMatch,
    Match,
    PersonNameMatch,
    SingleValueMatch,
    TimeRangeMatch,
    UidListMatch,
    UniversalMatch,
    ValueListMatch,
    Wildcard,
    WildcardMatch,
)
from chalicelib.dicomweb.qido.parse_match import MatchingOptions, parse_match
from chalicelib.errors import InvalidQueryError

ANY_RUN, ANY_ONE = Wildcard.ANY_RUN, Wildcard.ANY_ONE
LAST_MOMENT = 999999


def match_of(name: str, text: str, **options: bool) -> Match:
    return parse_match(BY_PATH.get(name) or BY_KEYWORD[name], text, MatchingOptions(**options))


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
        # A full-width asterisk (U+FF0A) is not a wildcard, although folding turns it into a plain one.
        ("PatientName", "a\uff0a?", PersonNameMatch(WildcardMatch(("a*", ANY_ONE)))),
        ("PatientName", "a=*=c", PersonNameMatch(None, (SingleValueMatch("a"), None, SingleValueMatch("c")))),
    ],
)
def test_a_value_becomes_its_kind_of_match(name, value, match):
    assert match_of(name, value) == match


def _literal(text: str) -> PersonNameMatch:
    match = match_of("PatientName", text)
    assert isinstance(match, PersonNameMatch)
    return match


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
        # The vowel signs of Devanagari are not letters, but they belong to the word.
        ("राम कु", ("राम", "कु"), False),
    ],
)
def test_a_fuzzy_name_is_its_words_and_with_wildcards_the_literal_match_too(text, words, with_literal):
    assert match_of("PatientName", text, fuzzy=True) == FuzzyNameMatch(words, _literal(text) if with_literal else None)


@pytest.mark.parametrize("text", ["j?n", "jan?", "jo*n", "o'*b", "-", "'"])
def test_a_fuzzy_name_without_words_or_with_wildcards_in_them_is_matched_literally(text):
    assert match_of("PatientName", text, fuzzy=True) == _literal(text)


def test_a_fuzzy_name_of_too_many_words_is_refused():
    with pytest.raises(InvalidQueryError, match="words"):
        match_of("PatientName", " ".join(map(str, range(33))), fuzzy=True)


@pytest.mark.parametrize(
    "name",
    ["PatientID", "PatientName", "StudyDate", "StudyTime", "SeriesNumber", "StudyInstanceUID", "ModalitiesInStudy",
     "Modality", "RequestAttributesSequence", "00400275.00400009"],
)  # fmt: skip
def test_two_quotation_marks_are_the_empty_value_of_every_kind(name):
    assert match_of(name, '""', empty_value=True) == EmptyValueMatch()


def test_two_quotation_marks_are_a_text_without_the_option():
    assert match_of("PatientID", '""') == SingleValueMatch('""')


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
    assert match_of(name, value, multiple_value=True) == match


@pytest.mark.parametrize("value", ["CT,M*", "CT,*", "CT,?"])
def test_multiple_values_hold_no_wildcards(value):
    with pytest.raises(InvalidQueryError, match="wildcards"):
        match_of("ModalitiesInStudy", value, multiple_value=True)


def test_too_many_multiple_values_are_refused():
    modalities = ",".join(f"M{number}" for number in range(17))
    with pytest.raises(InvalidQueryError, match="more than 16"):
        match_of("ModalitiesInStudy", modalities, multiple_value=True)


def test_numbers_are_read_as_numbers():
    for text in ("7", "+07", " 7 "):
        assert match_of("SeriesNumber", text) == SingleValueMatch(7)
    assert match_of("SeriesNumber", "*") == UniversalMatch()


def test_too_long_a_list_is_refused():
    uids = ",".join(f"1.{number}" for number in range(1001))
    with pytest.raises(InvalidQueryError, match="more than 1000"):
        match_of("StudyInstanceUID", uids)


@pytest.mark.parametrize("value", [",", "\\", ",,\\"])
def test_a_list_without_values_is_refused(value):
    with pytest.raises(InvalidQueryError, match="without values"):
        match_of("StudyInstanceUID", value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("StudyDate", "20240230", "StudyDate is not a date (YYYYMMDD) or a range of dates"),
        ("StudyDate", "-", "StudyDate is not a value or a range (A-B, A-, -B)"),
        ("StudyDate", "20240101-20240102-20240103", "StudyDate is not a value or a range (A-B, A-, -B)"),
        ("StudyTime", "1030-25", "StudyTime is not a time (HH, HHMM, HHMMSS or HHMMSS.FFFFFF) or a range of times"),
        ("SeriesNumber", "1.0", "SeriesNumber is not an integer"),
        ("ModalitiesInStudy", "CT,M*", "ModalitiesInStudy: a list of values cannot hold wildcards"),
        (
            "RequestAttributesSequence",
            "x",
            "RequestAttributesSequence is a sequence: name an attribute of its items after a dot",
        ),
    ],
)
def test_a_text_that_is_no_value_of_its_attribute_is_refused(name, text, message):
    with pytest.raises(InvalidQueryError) as caught:
        match_of(name, text)
    assert caught.value.message == message


@pytest.mark.parametrize("text", ["*", "**"])
def test_a_sequence_is_matched_universally(text):
    assert match_of("RequestAttributesSequence", text) == UniversalMatch()
