import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from chalicelib.adapters.memory.landing import MemoryLanding
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.dicomweb.stow.response import StoreReport
from chalicelib.errors import (
    BadRequestError,
    ContentTooLargeError,
    FailureReason,
    MalformedMultipartError,
    ServiceFaultError,
)
from chalicelib.services.store_instances import StoreInstances, StoreLimits
from chalicelib.settings import MIB
from tests.support.settings import store_limits
from tests.support.stow_server import FailingLanding, Records, instance_bytes


@dataclass
class _Part:
    pieces: list[bytes]
    media_type: str = "application/dicom"
    fails: bool = False

    async def chunks(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece
        if self.fails:
            raise MalformedMultipartError("the body ends")


@dataclass
class _Watched(MemoryLanding):
    """Counts the objects that are being written concurrently."""

    now: int = 0
    most: int = 0
    objects: dict[str, bytes] = field(default_factory=dict)

    def put(self, key: str, instance_bytes: bytes, sha256: str) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        super().put(key, instance_bytes, sha256)
        self.now -= 1


async def _parts(parts: list[_Part]) -> AsyncIterator[_Part]:
    for part in parts:
        yield part


def _report(
    landing: MemoryLanding, parts: list[_Part], limits: StoreLimits | None = None, study_instance_uid: str | None = None
) -> StoreReport:
    store = StoreInstances(landing, Records(), limits or store_limits())  # type: ignore[arg-type]
    try:
        return asyncio.run(store.store(_parts(parts), request_id="r", study_instance_uid=study_instance_uid))
    finally:
        store.close()


def _store(landing: MemoryLanding, parts: list[_Part], limits: StoreLimits | None = None) -> int:
    return _report(landing, parts, limits).status


def test_outcomes_are_in_the_order_of_the_parts() -> None:
    async def outcomes() -> list[str]:
        store = StoreInstances(MemoryLanding(), Records(), store_limits())  # type: ignore[arg-type]
        parts = [_Part([instance_bytes(sop=f"1.{n}")] if n % 3 else [b"no"]) for n in range(1, 30)]
        report = await store.store(_parts(parts), request_id="r")
        store.close()
        return [outcome.uids.sop_instance_uid if outcome.uids else "" for outcome in report.outcomes]

    assert asyncio.run(outcomes()) == [f"1.{n}" if n % 3 else "" for n in range(1, 30)]


def test_part_is_received_in_any_pieces() -> None:
    instance = instance_bytes()
    landing = MemoryLanding()

    assert _store(landing, [_Part([instance[i : i + 1] for i in range(len(instance))])]) == 200
    assert landing.objects == {"stow/r/1.dcm": instance}


def test_broken_body_leaves_what_was_complete_and_nothing_half() -> None:
    landing = MemoryLanding()
    parts = [_Part([instance_bytes()]), _Part([instance_bytes(sop="1.9")], fails=True)]

    with pytest.raises(MalformedMultipartError):
        _store(landing, parts)

    assert list(landing.objects) == ["stow/r/1.dcm"]


def test_uploads_of_one_request_are_bounded() -> None:
    landing = _Watched()
    parts = [_Part([instance_bytes(sop=f"1.{n}")]) for n in range(1, 40)]

    assert _store(landing, parts, store_limits(uploads_per_request=1)) == 200
    assert landing.most == 1


LARGE = instance_bytes(pixels=bytes(100_000))
# Instances over 64 KB are written in blocks.
BLOCKS = store_limits(in_memory_bytes=64 * 1024)


def test_a_large_instance_of_another_study_is_read_to_its_end_and_not_written() -> None:
    landing = MemoryLanding()
    parts = [_Part([LARGE[:70_000], LARGE[70_000:]]), _Part([instance_bytes(study="9.9", sop="9.9.9")])]
    report = _report(landing, parts, BLOCKS, "9.9")
    assert [outcome.uids and outcome.uids.study_instance_uid for outcome in report.failed] == ["1.2.3"]
    assert report.failed[0].reason is FailureReason.DATA_SET_DOES_NOT_MATCH_SOP_CLASS
    assert list(landing.objects) == ["stow/r/2.dcm"]


@pytest.mark.parametrize("max_instance_bytes", [65_000, 90_000])
def test_an_upload_of_an_instance_over_the_limit_is_aborted(max_instance_bytes: int) -> None:
    landing = MemoryLanding()
    limits = store_limits(in_memory_bytes=64 * 1024, max_instance_bytes=max_instance_bytes)
    with pytest.raises(ContentTooLargeError):
        _store(landing, [_Part([LARGE[:70_000], LARGE[70_000:]])], limits)
    assert landing.objects == {}
    assert (landing.open_uploads, landing.aborted) == (set(), ["stow/r/1.dcm"])


def test_a_large_instance_is_written_in_blocks_and_once() -> None:
    landing = MemoryLanding()
    parts = [_Part([LARGE[:70_000], LARGE[70_000:]]), _Part([LARGE])]
    report = _report(landing, parts, BLOCKS)
    assert [outcome.sha256 for outcome in report.stored] == [hashlib.sha256(LARGE).hexdigest()] * 2
    assert landing.objects == {"stow/r/1.dcm": LARGE}
    assert landing.aborted == ["stow/r/2.dcm"]


@pytest.mark.parametrize("buffer_bytes", [2 * MIB, 8 * MIB], ids=["memory for one block", "for the next one, too"])
def test_a_large_instance_is_stored_whatever_memory_there_is(buffer_bytes: int) -> None:
    instance = instance_bytes(pixels=bytes(3 * MIB))
    landing = MemoryLanding()
    limits = store_limits(in_memory_bytes=MIB, buffer_bytes=buffer_bytes)
    pieces = [instance[start : start + 100_000] for start in range(0, len(instance), 100_000)]
    assert _store(landing, [_Part(pieces)], limits) == 200
    assert landing.objects == {"stow/r/1.dcm": instance}


def test_a_second_content_under_the_same_uids_is_a_failure() -> None:
    parts = [_Part([instance_bytes()]), _Part([instance_bytes(pixels=b"\1" * 512)])]
    report = _report(MemoryLanding(), parts, store_limits(uploads_per_request=1))
    assert [outcome.sop_instance_uid for outcome in (one.uids for one in report.stored) if outcome] == ["1.2.3.4.5"]
    assert [outcome.reason for outcome in report.failed] == [FailureReason.DUPLICATE_SOP_INSTANCE]


@pytest.mark.parametrize("pieces", [[b"no"], [b"no" * 40_000, b"end"]])
def test_what_is_not_dicom_is_read_to_its_end_and_fails(pieces: list[bytes]) -> None:
    landing = MemoryLanding()
    report = _report(landing, [_Part(pieces), _Part([instance_bytes()])], BLOCKS)
    assert [(outcome.reason, outcome.uids) for outcome in report.failed] == [(FailureReason.CANNOT_UNDERSTAND, None)]
    assert list(landing.objects) == ["stow/r/2.dcm"]


def test_an_instance_that_is_refused_is_named_where_its_beginning_can_be_read() -> None:
    report = _report(MemoryLanding(), [_Part([instance_bytes()[:-10]])])
    assert [outcome.uids for outcome in report.failed] == [ResourceUids("1.2.3", "1.2.3.4", "1.2.3.4.5")]


def test_a_small_instance_of_another_study_fails() -> None:
    report = _report(MemoryLanding(), [_Part([instance_bytes()])], study_instance_uid="9.9")
    assert [outcome.reason for outcome in report.failed] == [FailureReason.DATA_SET_DOES_NOT_MATCH_SOP_CLASS]


def test_a_part_of_another_media_type_fails_and_is_not_written() -> None:
    landing = MemoryLanding()
    report = _report(landing, [_Part([b"{}"], media_type="application/json"), _Part([instance_bytes()], media_type="")])
    assert [outcome.message for outcome in report.failed] == ["the part's Content-Type is not application/dicom"]
    assert list(landing.objects) == ["stow/r/2.dcm"]


def test_a_request_without_parts_or_with_too_many_is_refused() -> None:
    with pytest.raises(BadRequestError):
        _store(MemoryLanding(), [])
    with pytest.raises(ContentTooLargeError):
        _store(MemoryLanding(), [_Part([instance_bytes()])] * 2, store_limits(max_instances=1))


def test_an_instance_that_is_registered_with_another_content_is_a_failure() -> None:
    records = Records({ResourceUids("1.2.3", "1.2.3.4", "1.2.3.4.5"): "other"})
    store = StoreInstances(MemoryLanding(), records, store_limits())  # type: ignore[arg-type]
    report = asyncio.run(store.store(_parts([_Part([instance_bytes()])]), request_id="r"))
    store.close()
    assert [outcome.reason for outcome in report.failed] == [FailureReason.DUPLICATE_SOP_INSTANCE]


def test_a_fault_of_the_bucket_ends_the_request() -> None:
    with pytest.raises(ServiceFaultError, match="S3 failed"):
        _store(
            FailingLanding(ServiceFaultError("S3 failed")),
            [_Part([instance_bytes(sop=f"1.{n}")]) for n in range(1, 40)],
        )


def test_a_defect_in_the_check_of_an_instance_fails_this_instance_only(monkeypatch: pytest.MonkeyPatch) -> None:
    check = StoreInstances.check

    def fail_once(store: StoreInstances, data: bytes) -> object:
        if b"1.2.3.4.66" in data:
            raise AssertionError("a defect")
        return check(store, data)

    monkeypatch.setattr(StoreInstances, "check", fail_once)
    report = _report(MemoryLanding(), [_Part([instance_bytes(sop="1.2.3.4.66")]), _Part([instance_bytes()])])
    assert report.status == 202
    assert [(failure.reason, failure.message) for failure in report.failed] == [
        (FailureReason.PROCESSING_FAILURE, "the instance could not be checked")
    ]
