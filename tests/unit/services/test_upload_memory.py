"""Leases of upload memory: when a lease waits, and what its release returns."""

import asyncio

from chalicelib.services.upload_memory import UploadMemory
from chalicelib.settings import MIB


def test_large_leases_are_waited_for_and_given_back() -> None:
    async def scenario() -> None:
        memory = UploadMemory(4 * MIB, MIB)
        first, second, third = [await memory.lease() for _ in range(2)] + [None]
        assert second is not None
        await first.grow()
        await first.grow()  # a second call does nothing
        assert await first.try_double()
        waiting = asyncio.create_task(second.grow())
        await asyncio.sleep(0)
        assert not waiting.done()
        third = await asyncio.wait_for(memory.lease(), 1)  # growing returned the small lease
        first.release()
        first.release()  # changes nothing
        await asyncio.wait_for(waiting, 1)
        assert await second.try_double()
        third.release()
        second.release()

    asyncio.run(scenario())


def test_no_second_block_is_granted_when_all_memory_is_taken() -> None:
    async def scenario() -> None:
        memory = UploadMemory(2 * MIB, MIB)
        lease = await memory.lease()
        await lease.grow()
        assert not await lease.try_double()
        lease.release()

    asyncio.run(scenario())
