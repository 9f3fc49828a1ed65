"""Number strings, person names and empty values among others, as Annex F wants them."""

from io import BytesIO
from typing import Any

import pytest

from chalicelib.dicomweb.instance.json_model import to_json
from chalicelib.dicomweb.instance.json_values import number_strings, person_names, without_value_if_empty
from chalicelib.dicomweb.instance.part10 import read_instance
from tests.support.builders import with_element


def element_of(tag: int, vr: str, value: bytes) -> dict[str, Any]:
    """JSON of an element, read from a file that has these bytes."""
    with read_instance(BytesIO(with_element(tag, vr.encode(), value)), max_inflated_bytes=1 << 20) as instance:
        json: dict[str, Any] = to_json(instance, str)[0][f"{tag:08X}"]
    return json


@pytest.mark.parametrize(
    ("vr", "value", "expected"),
    [
        ("IS", b"7", [7]),
        ("IS", b" -7 ", [-7]),
        ("IS", b"+7", [7]),
        ("IS", b"1_0", ["1_0"]),
        ("IS", b"0.8", ["0.8"]),
        ("IS", b"1e3", ["1e3"]),
        ("IS", b"1\\\\3", [1, None, 3]),
        ("IS", "٣".encode(), ["��"]),
        ("IS", b"9" * 400, ["9" * 400]),
        ("DS", b"1.5\\\\3", [1.5, None, 3.0]),
        ("DS", b"1e400", ["1e400"]),
        ("DS", b"-1E-2", [-0.01]),
        ("DS", b".5", [0.5]),
        ("DS", b"5.", [5.0]),
        ("DS", b"1_0.5", ["1_0.5"]),
        ("DS", b"nan", ["nan"]),
        ("DS", b"inf", ["inf"]),
        ("DS", b"0", [0.0]),
    ],
)
def test_what_is_no_number_of_its_vr_stays_the_text_that_it_is(vr: str, value: bytes, expected: list[Any]) -> None:
    assert number_strings(vr, value) == expected


@pytest.mark.parametrize(("value", "expected"), [(None, [None]), ("5", [5]), (5, [5]), (["5", "", 6], [5, None, 6])])
def test_values_that_pydicom_converted_are_read_from_their_text(value: Any, expected: list[Any]) -> None:
    assert number_strings("IS", value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"Tech^One\\", [{"Alphabetic": "Tech^One"}, None]),
        (b"\\Doc^Two", [None, {"Alphabetic": "Doc^Two"}]),
        (b"A^B\\\\C^D", [{"Alphabetic": "A^B"}, None, {"Alphabetic": "C^D"}]),
        ("Yamada^Tarou=山田^太郎".encode(), [{"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎"}]),
        ("=山田".encode(), [{"Ideographic": "山田"}]),
    ],
)
def test_a_name_survives_an_empty_one_beside_it(value: bytes, expected: list[Any]) -> None:
    assert element_of(0x00081070, "PN", value + b" " * (len(value) % 2)) == {"vr": "PN", "Value": expected}


@pytest.mark.parametrize(
    ("tag", "vr", "value", "expected"),
    [
        (0x00080008, "CS", b"ORIGINAL\\PRIMARY\\\\RT ", ["ORIGINAL", "PRIMARY", None, "RT"]),
        (0x00281050, "DS", b"1.5\\\\3", [1.5, None, 3.0]),
        (0x00201206, "IS", b"0.8 ", ["0.8"]),
        (0x00081150, "UI", b"1.2\\\\1.3", ["1.2", None, "1.3"]),
        (0x00081030, "LO", b"a\\ \\b ", ["a", None, "b"]),
    ],
)
def test_an_empty_value_among_others_is_null(tag: int, vr: str, value: bytes, expected: list[Any]) -> None:
    assert element_of(tag, vr, value) == {"vr": vr, "Value": expected}


@pytest.mark.parametrize(
    ("tag", "vr", "value"), [(0x00081030, "LO", b"\\ "), (0x00281050, "DS", b"\\\\"), (0x00081070, "PN", b"\\ ")]
)
def test_an_element_of_empty_values_only_has_none(tag: int, vr: str, value: bytes) -> None:
    assert element_of(tag, vr, value) == {"vr": vr}


def test_helpers_take_what_pydicom_gives_for_no_value() -> None:
    assert person_names(None) == []
    assert without_value_if_empty("PN", []) == {"vr": "PN"}
