"""Leases of memory: who waits for whom, and what comes back."""

import asyncio

from chalicelib.services.upload_memory import MIB, UploadMemory


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
