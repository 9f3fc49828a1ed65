"""The contract of StudyIndex: order, pages, counts, and texts inside values."""

import pytest

from chalicelib.dicomweb.attributes import Level
from chalicelib.dicomweb.resources import ResourceUids
from tests.support.qido_builders import make_publication, make_series, publish, search


def test_pages_neither_repeat_nor_lose_where_every_study_has_the_same_date(index):
    for number in range(23):
        publish(index, make_publication(f"1.{number}", StudyDate="20240301" if number % 2 else None))
    everything = search(index, Level.STUDY)
    pages = [search(index, Level.STUDY, ("limit", "5"), ("offset", str(start))) for start in range(0, 25, 5)]
    assert [key for page in pages for key in page.keys] == everything.keys
    assert [page.remaining for page in pages] == [18, 13, 8, 3, 0]
    assert len(set(everything.keys)) == 23
    assert search(index, Level.STUDY, ("offset", "23")).keys == []
    assert search(index, Level.STUDY, ("limit", "0")).remaining == 23


def test_the_newest_study_comes_first_and_those_without_a_date_last(index):
    publish(index, make_publication("1.1", StudyDate=None))
    publish(index, make_publication("1.2", StudyDate="20240301", StudyTime="0900"))
    publish(index, make_publication("1.3", StudyDate="20240301", StudyTime="1000"))
    publish(index, make_publication("1.4", StudyDate="20240302"))
    publish(index, make_publication("1.5", StudyDate="20240301"))
    assert [key.study_instance_uid for key in search(index, Level.STUDY).keys] == [
        "1.4",
        "1.3",
        "1.2",
        "1.5",
        "1.1",
    ]


def test_studies_are_counted_by_the_day_they_have_now(index):
    for number in range(4):
        publish(index, make_publication(f"1.{number}", StudyDate="20240301"))
    publish(index, make_publication("1.0", StudyDate="20240301"))
    publish(index, make_publication("1.1", StudyDate="20240302"))
    publish(index, make_publication("1.2", StudyDate=None))
    first = ("limit", "1")
    assert search(index, Level.STUDY, first).remaining == 3
    assert search(index, Level.STUDY, first, ("StudyDate", "20240301")).remaining == 1
    assert search(index, Level.STUDY, first, ("StudyDate", "20240302-")).remaining == 0
    assert search(index, Level.STUDY, first, ("StudyDate", "-20240302")).remaining == 2


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        (" ".join(f"w{number}" for number in range(50)), "*w49*"),  # more words than the index keeps
        ("x" * 60 + "middle" + "y" * 60, "*middle*"),  # a longer word than the index keeps
        ("O'Brien^Pat", "*O'B*"),
        ("O'Brien^Pat", "*bri?n^p*"),
        ("Doe^Jane", "?oe^j*"),
        ("Hong^Gildong=洪^吉洞=홍^길동", "*吉*"),
        ("a%b_c|d^e", "*%b_c|d*"),
    ],
)
def test_a_text_inside_a_name_is_found_whatever_the_name(index, name, pattern):
    publish(index, make_publication("1.2", PatientName=name))
    publish(index, make_publication("1.3", PatientName="Nobody^Else"))
    assert search(index, Level.STUDY, ("PatientName", pattern)).keys == [ResourceUids("1.2")]


LONG = "CT Thorax 5 mm   with contrast, late phase"


@pytest.mark.parametrize("keyword", ["PatientID", "AccessionNumber", "StudyDescription"])
@pytest.mark.parametrize(
    ("value", "pattern"),
    [
        ("P-4711-X", "*4711*"),
        ("P-4711-X", "*X"),
        ("P-4711-X", "*P-*"),
        ("P-4711-X", "P*47*X"),
        ("P-4711-X", "*P-4711-X"),
        ("P-4711-X", "?-4711*"),
        ("aaab", "*a*aa?"),
        ("ab", "??"),
        ("50% of a_b|c\\d'\"", "*% of*"),
        ("50% of a_b|c\\d'\"", "*a_b*"),
        ("50% of a_b|c\\d'\"", "*b|c\\*"),
        ("50% of a_b|c\\d'\"", "*'\""),
        ("Knie 山田 Колено 홍", "*田 Кол*"),
        ("Knie 山田 Колено 홍", "*홍"),
        (LONG, "*with contrast, late phase"),
        (LONG, "*Thorax 5 mm   with contrast*"),
        (LONG, "*late*"),
        (LONG, "*5 mm   w*ph?se"),
        ("x" * 100 + " " + "y" * 27 + "cut off", "*x y*"),
        ("x" * 127 + " cut off", "*xx*"),
    ],
)
def test_a_text_inside_a_value_is_found_whatever_the_value(index, keyword, value, pattern):
    publish(index, make_publication("1.2", **{keyword: value}))
    publish(index, make_publication("1.3", **{keyword: "else"}))
    publish(index, make_publication("1.4"))
    assert search(index, Level.STUDY, (keyword, pattern)).keys == [ResourceUids("1.2")]


@pytest.mark.parametrize(
    "pattern", ["*4712*", "*x", "*p-*", "*P_4711*", "*47%11*", "*\\*", "*4711", "*P-4711-X and more than it*", "???"]
)
def test_a_text_that_is_in_no_value_is_not_found(index, pattern):
    publish(index, make_publication("1.2", PatientID="P-4711-X", StudyDescription="4712 xp-%_\\"))
    assert search(index, Level.STUDY, ("PatientID", pattern)).keys == []


def test_a_text_inside_a_value_is_found_in_its_own_attribute_only(index):
    publish(index, make_publication("1.2", PatientID="A17", AccessionNumber="B18", StudyDescription="C19"))
    found = {
        (keyword, text): len(search(index, Level.STUDY, (keyword, f"*{text}*")).keys)
        for keyword in ("PatientID", "AccessionNumber", "StudyDescription")
        for text in ("17", "18", "19")
    }
    assert [place for place, number in found.items() if number] == [
        ("PatientID", "17"),
        ("AccessionNumber", "18"),
        ("StudyDescription", "19"),
    ]


# A range of `LIKE 'x%'` in the text collations of MySQL and MariaDB ends at U+FFFF, and begins at a blank.
@pytest.mark.parametrize("rest", ["𠮷", "😀", "\U0010ffff", "\uffff", "\x01", "\t", "\x0f\U0010ffff", "\0y", ""])
def test_any_character_may_follow_the_beginning_of_a_value(index, rest):
    keywords = ["StudyDescription", "PatientID", "AccessionNumber", "StudyID", "PatientName"]
    publish(index, make_publication("1.2", **dict.fromkeys(keywords, f"Ab{rest}y")))
    publish(index, make_publication("1.3", **dict.fromkeys(keywords, "C")))
    for keyword in keywords:
        for pattern in ("Ab*", "A*", "Ab*y", "*b*", "?b*", "*Ab*y", "Ab?*"):
            found = search(index, Level.STUDY, (keyword, pattern))
            assert found.keys == [ResourceUids("1.2")], (keyword, pattern)


@pytest.mark.parametrize("name", ["𠮷田^太郎", "田𠮷^太郎", "Ab𠮷^x", "Ab𠮷d^x"])
@pytest.mark.parametrize("fuzzy", ["true", "false"])
def test_a_name_is_found_by_the_beginning_of_its_words_whatever_the_plane_of_its_characters(index, name, fuzzy):
    publish(index, make_publication("1.2", PatientName=name))
    for pattern in (f"{name[:1]}*", f"{name[:2]}*", f"*{name[1:2]}*", f"*{name[2:3]}*"):
        found = search(index, Level.STUDY, ("PatientName", pattern), ("fuzzymatching", fuzzy))
        assert found.keys == [ResourceUids("1.2")], pattern


def test_an_item_of_a_sequence_is_found_by_the_beginning_of_its_value(index):
    item = {"00400009": {"vr": "SH", "Value": ["Ab𠮷"]}}
    series = make_series("1.2.1", ["1.2.1.1"], RequestAttributesSequence=[item])
    publish(index, make_publication("1.2", [series]))
    assert search(index, Level.SERIES, ("00400275.00400009", "Ab*")).keys == [ResourceUids("1.2", "1.2.1")]


@pytest.mark.parametrize("text", ["Ab ", "Ab  ", "a" * 300])
def test_a_beginning_that_is_longer_than_the_value_does_not_match(index, text):
    publish(index, make_publication("1.2", PatientID="Ab", StudyDescription="a" * 128))
    assert search(index, Level.STUDY, ("PatientID", f"{text}*")).keys == []
    assert search(index, Level.STUDY, ("StudyDescription", f"{text}*")).keys == []
