"""Person names: the form in which they are compared, and the words that are indexed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.dicomweb.qido.person_names import (
    fold_name,
    folded_groups,
    has_more_words,
    indexed_words,
    name_words,
    words_match,
)


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


@pytest.mark.parametrize(
    ("groups", "more"),
    [
        (("doe^jane", "山田", ""), False),
        ((" ".join(map(str, range(32))), "", ""), False),
        ((" ".join(map(str, range(33))), "", ""), True),
        (("a " * 40, "", ""), False),
        (("x" * 64, "", ""), False),
        (("", "x" * 65, ""), True),
    ],
)
def test_a_name_of_many_or_long_words_has_more_than_are_indexed(groups, more):
    assert has_more_words(groups) is more
