import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from chalicelib.adapters.memory.landing import MemoryLanding
from chalicelib.dicomweb.stow.response import StoreReport
from chalicelib.errors import ContentTooLargeError, FailureReason, MalformedMultipartError
from chalicelib.services.store_instances import StoreInstances, StoreLimits
from tests.support.stow_server import Records, instance_bytes


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
    """Knows how many bytes were on their way at once."""

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
    store = StoreInstances(landing, Records(), limits)  # type: ignore[arg-type]
    try:
        return asyncio.run(store.store(_parts(parts), request_id="r", study_instance_uid=study_instance_uid))
    finally:
        store.close()


def _store(landing: MemoryLanding, parts: list[_Part], limits: StoreLimits | None = None) -> int:
    return _report(landing, parts, limits).status


def test_outcomes_are_in_the_order_of_the_parts() -> None:
    async def outcomes() -> list[str]:
        store = StoreInstances(MemoryLanding(), Records())  # type: ignore[arg-type]
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

    assert _store(landing, parts, StoreLimits(uploads_per_request=1)) == 200
    assert landing.most == 1


LARGE = instance_bytes(pixels=bytes(100_000))
# Instances over 64 KB are written in blocks.
BLOCKS = StoreLimits(in_memory_bytes=64 * 1024)


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
    limits = StoreLimits(in_memory_bytes=64 * 1024, max_instance_bytes=max_instance_bytes)
    with pytest.raises(ContentTooLargeError):
        _store(landing, [_Part([LARGE[:70_000], LARGE[70_000:]])], limits)
    assert landing.objects == {}
    assert (landing.open_uploads, landing.aborted) == (set(), ["stow/r/1.dcm"])
