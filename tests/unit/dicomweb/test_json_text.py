"""JSON as the archive writes it."""

import pytest

from chalicelib.dicomweb.json_text import dump_json


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": [1, 2.5, None], "a": True}, b'{"b":[1,2.5,null],"a":true}'),
        ("Müller", b'"M\xc3\xbcller"'),
        ("\ud800", b'"?"'),
        ("\n", b'"\\n"'),
    ],
)
def test_json_is_compact_and_in_utf_8(value: object, text: bytes) -> None:
    assert dump_json(value) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")]])
def test_a_number_that_json_does_not_have_is_an_error(value: object) -> None:
    with pytest.raises(ValueError, match="JSON"):
        dump_json(value)
