"""Malformed instances, by STOW-RS and by conversion: each is accepted or refused with a reason, and harms no other."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import JPEGBaseline8Bit

from tests.support.archive import running_archive
from tests.support.builders import make_compressed, make_instance, with_element
from tests.support.stow_server import multipart, running

ROWS, BITS_ALLOCATED, PHOTOMETRIC, CHARACTER_SET = 0x00280010, 0x00280100, 0x00280004, 0x00080005
MALFORMED = {
    "Rows of odd length": with_element(ROWS, b"US", b"\4\0\1"),
    "Rows as FD": with_element(ROWS, b"FD", struct.pack("<d", 4)),
    "Rows as FD, infinite": with_element(ROWS, b"FD", struct.pack("<d", float("inf"))),
    "Rows as AT": with_element(ROWS, b"AT", b"\4\0\0\0"),
    "Rows as PN": with_element(ROWS, b"PN", b"four"),
    "BitsAllocated of odd length": with_element(BITS_ALLOCATED, b"US", b"\x10\0\1"),
    "BitsAllocated as FD": with_element(BITS_ALLOCATED, b"FD", struct.pack("<d", 16)),
    "PhotometricInterpretation as US": with_element(PHOTOMETRIC, b"US", b"\1\0"),
    "SpecificCharacterSet as US": with_element(CHARACTER_SET, b"US", b"\1\0"),
    "SpecificCharacterSet as AT": with_element(CHARACTER_SET, b"AT", b"\1\0\1\0"),
    "SpecificCharacterSet as FD": with_element(CHARACTER_SET, b"FD", struct.pack("<d", 1)),
    "NumberOfFrames negative": with_element(0x00280008, b"IS", b"-1"),
    "NumberOfFrames as FD": with_element(0x00280008, b"FD", struct.pack("<d", float("nan"))),
    "extended offset table of 12 bytes": make_compressed(
        JPEGBaseline8Bit, [b"\xff\xd8\xff\xd9"] * 2, ExtendedOffsetTable=bytes(12), ExtendedOffsetTableLengths=bytes(16)
    ),
    **{f"cut at byte {length}": make_instance()[:length] for length in (0, 1, 131, 132, 140, 152, 153, 154, 155, 300)},
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_instance_fails_alone_in_its_request(name: str) -> None:
    good = make_instance()
    with running() as server:
        answer = server.post(multipart(MALFORMED[name], good))
        assert answer.status in (200, 202), answer.body
        assert good in server.landing.objects.values()


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_object_is_published_or_rejected_with_a_reason(name: str) -> None:
    with running_archive() as archive:
        study = archive.store(MALFORMED[name])
        rejections = list(archive.records.list_rejections())
        assert (study is None) is (len(rejections) == 1)
        assert all(rejection.reason for rejection in rejections)


SEEDS = [make_instance(), make_compressed(JPEGBaseline8Bit, [b"\xff\xd8\xff\xd9"] * 3)]


@settings(max_examples=200)
@given(
    seed=st.sampled_from(SEEDS),
    edits=st.lists(st.tuples(st.integers(132, 2000), st.binary(min_size=1, max_size=4)), min_size=1, max_size=4),
    cut=st.none() | st.integers(0, 1500),
)
def test_no_mutation_of_a_file_raises_anything_but_a_rejection(
    seed: bytes, edits: list[tuple[int, bytes]], cut: int | None
) -> None:
    mutated = bytearray(seed)
    for position, replacement in edits:
        start = position % len(mutated)
        mutated[start : start + len(replacement)] = replacement
    with running_archive() as archive:
        study = archive.store(bytes(mutated[:cut]))
        assert (study is None) is (len(list(archive.records.list_rejections())) == 1)
