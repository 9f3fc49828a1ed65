"""Valid and invalid UIDs, and the addresses of resources."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.dicomweb.attributes import Level
from chalicelib.dicomweb.resources import ResourceUids, check_uid
from chalicelib.errors import InvalidUidError

STUDY = ResourceUids("1.2")
SERIES = ResourceUids("1.2", "1.3")
INSTANCE = ResourceUids("1.2", "1.3", "1.4")

uids = st.lists(st.integers(0, 99_999).map(str), min_size=1, max_size=10).map(".".join)


@pytest.mark.parametrize("text", ["1", "1.2.840.10008.1.1", "1.02.3", "9" * 64])
def test_a_uid_is_returned_as_it_is(text: str) -> None:
    assert check_uid(text) == text


@pytest.mark.parametrize(
    "text", ["", ".", "1.", ".1", "1..2", "1.2\n", " 1.2", "1/2", "1.a", "١.٢", "\x001.2", "9" * 65]
)
def test_anything_else_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidUidError) as caught:
        check_uid(text, "StudyInstanceUID")
    assert caught.value.message == "StudyInstanceUID is not a valid DICOM UID (digits and dots, at most 64)"


@pytest.mark.parametrize(
    ("resource", "level", "path"),
    [
        (STUDY, Level.STUDY, "studies/1.2"),
        (SERIES, Level.SERIES, "studies/1.2/series/1.3"),
        (INSTANCE, Level.INSTANCE, "studies/1.2/series/1.3/instances/1.4"),
    ],
)
def test_level_path_and_key_follow_from_the_uids(resource: ResourceUids, level: Level, path: str) -> None:
    assert resource.level is level
    assert resource.path == path
    assert resource.key == f"dicomweb/{path}"


def test_a_resource_knows_what_contains_it() -> None:
    assert INSTANCE.at(Level.STUDY) == SERIES.at(Level.STUDY) == STUDY
    assert INSTANCE.at(Level.SERIES) == SERIES
    assert INSTANCE.at(Level.INSTANCE) == INSTANCE


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (("../1",), "StudyInstanceUID"),
        (("1.2", ""), "SeriesInstanceUID"),
        (("1.2", "1.3", "1/4"), "SOPInstanceUID"),
    ],
)
def test_an_address_holds_valid_uids_only(address: tuple[str, ...], name: str) -> None:
    with pytest.raises(InvalidUidError, match=name):
        ResourceUids(*address)


def test_an_instance_is_not_addressed_without_its_series() -> None:
    with pytest.raises(InvalidUidError):
        ResourceUids("1.2", None, "1.4")


@given(st.lists(st.builds(ResourceUids, uids, st.none() | uids), max_size=20))
def test_addresses_of_different_levels_can_be_sorted(addresses: list[ResourceUids]) -> None:
    assert [address.uids for address in sorted(addresses)] == sorted(address.uids for address in addresses)
