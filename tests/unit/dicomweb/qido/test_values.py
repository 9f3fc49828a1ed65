"""Values of searches: dates, times and numbers that never raise, and names as they are compared."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.dicomweb.qido.person_names import fold_name, folded_groups, indexed_words, name_words, words_match
from chalicelib.dicomweb.values import first_value, parse_date, parse_integer, parse_time_span, plain_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20240229", date(2024, 2, 29)),
        ("20230229", None),
        ("00000000", None),
        ("2024022", None),
        ("２０２４０２２９", None),
        ("", None),
    ],
)
def test_dates(text, expected):
    assert parse_date(text) == expected


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("10", time(10)),
        ("101530.123456", time(10, 15, 30, 123456)),
        ("235960", time(23, 59, 59)),
        ("235961", None),
        ("24", None),
        ("1060", None),
        ("101530.1234567", None),
    ],
)
def test_times(text, first):
    span = parse_time_span(text)
    assert (span and span[0]) == first


@pytest.mark.parametrize(
    ("text", "expected"),
    [("-5", -5), ("+5", 5), ("2147483647", 2147483647), ("2147483648", None), ("1.0", None), ("", None), ("5\x1f", 5)],
)
def test_integers(text, expected):
    assert parse_integer(text) == expected


@given(st.text())
def test_no_text_makes_them_raise(text):
    parse_date(text)
    parse_time_span(text)
    parse_integer(text)
    plain_text(text).encode()


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (" a ", "a"), (5, "5"), ("a\0", "a"), ("\ud800", "?"), ([], "[]")]
)
def test_plain_text(value, text):
    assert plain_text(value) == text


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ({"vr": "LO", "Value": [None, "b"]}, "b"),
        ({"vr": "LO"}, None),
        ({"vr": "LO", "Value": []}, None),
        ({"vr": "LO", "Value": "x"}, None),
        (None, None),
        ("x", None),
    ],
)
def test_first_value(element, value):
    assert first_value(element) == value


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Müller^Jürgen", "muller^jurgen"),
        ("MULLER", "muller"),
        ("Doe^John^^", "doe^john"),
        (" Doe ", "doe"),
        ("Weiß", "weiss"),
        ("Øyvind Łukasz Đorđe", "oyvind lukasz dorde"),
        ("Nguyễn", "nguyen"),
        ("Μαρία", "μαρια"),
        ("Йосиф", "иосиф"),
        # Half-width kana are the same letters; a voiced one is another letter.
        ("ﾔﾏﾀﾞ", "ヤマダ"),
        ("やまだ", "やまだ"),
        ("홍길동", "홍길동"),
        ("山田", "山田"),
        ("İstanbul", "istanbul"),
    ],
)
def test_names_are_folded(name, folded):
    assert fold_name(name) == folded


@given(st.text())
def test_case_never_counts(name):
    assert fold_name(name.casefold()) == fold_name(name)


@pytest.mark.parametrize(
    ("value", "groups"),
    [
        ({"Alphabetic": "A", "Phonetic": "P"}, ("a", "", "p")),
        ({"Alphabetic": None, "Ideographic": 5}, ("", "5", "")),
        ("A", ("", "", "")),
        (None, ("", "", "")),
    ],
)
def test_component_groups(value, groups):
    assert folded_groups(value) == groups


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("doe^jane maria^^dr.", ["doe", "jane", "maria", "dr"]),
        ("o'brien", ["obrien"]),
        ("d’angelo-smith", ["dangelo", "smith"]),
        ("%_|\\", []),
        ("a1‍b", ["a1b"]),
        ("x" * 100, ["x" * 64]),
    ],
)
def test_words_of_a_name(name, words):
    assert name_words(name) == words


def test_names_written_without_a_gap_are_indexed_joined_too():
    assert indexed_words(("hong^gildong", "洪^吉洞", "홍^길동")) == {
        "hong", "gildong", "洪", "吉洞", "洪吉洞", "홍", "길동", "홍길동",
    }  # fmt: skip


def test_a_hostile_name_has_no_more_words_than_are_indexed():
    assert len(indexed_words((" ".join(map(str, range(1000))), "", ""))) == 32


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [(["jan"], True), (["doe", "ja"], True), (["ane"], False), (["jane", "smith"], False), (["janet"], False)],
)
def test_each_wanted_word_begins_some_word(wanted, matches):
    assert words_match(wanted, ["doe", "jane"]) is matches
