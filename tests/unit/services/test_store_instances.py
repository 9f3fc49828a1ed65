import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from chalicelib.adapters.memory.landing import MemoryLanding
from chalicelib.errors import MalformedMultipartError
from chalicelib.services.store_instances import StoreInstances, StoreLimits
from chalicelib.services.upload_memory import MIB, UploadMemory
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


def _store(landing: MemoryLanding, parts: list[_Part], limits: StoreLimits | None = None) -> int:
    store = StoreInstances(landing, Records(), limits)  # type: ignore[arg-type]
    try:
        return asyncio.run(store.store(_parts(parts), request_id="r")).status
    finally:
        store.close()


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


def test_large_leases_are_waited_for_and_given_back() -> None:
    async def scenario() -> None:
        memory = UploadMemory(4 * MIB, MIB)
        first, second, third = [await memory.lease() for _ in range(2)] + [None]
        assert second is not None
        await first.grow()
        await first.grow()  # once is enough
        assert await first.try_double()
        waiting = asyncio.create_task(second.grow())
        await asyncio.sleep(0)
        assert not waiting.done()
        third = await asyncio.wait_for(memory.lease(), 1)  # its small lease came free when it grew
        first.release()
        first.release()  # changes nothing
        await asyncio.wait_for(waiting, 1)
        assert await second.try_double()
        third.release()
        second.release()

    asyncio.run(scenario())


def test_second_block_is_not_had_when_all_memory_is_taken() -> None:
    async def scenario() -> None:
        memory = UploadMemory(2 * MIB, MIB)
        lease = await memory.lease()
        await lease.grow()
        assert not await lease.try_double()
        lease.release()

    asyncio.run(scenario())
