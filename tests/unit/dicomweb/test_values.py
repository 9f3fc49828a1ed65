"""Dates, times, numbers and texts of the DICOM JSON Model, none of which raises."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
