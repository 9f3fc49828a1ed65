"""How much memory all uploads may take together: leases of two sizes, handed out in order."""

import asyncio
from dataclasses import dataclass

MIB = 1024 * 1024


class UploadMemory:
    """Hands out the memory in which instances are received.

    Strategy: every instance begins with a small lease, so that many slow senders of ordinary images do not
    stop each other. What outgrows it waits for a large one, still holding the small one. Nobody who holds
    a large lease waits for another, so there is always somebody who can finish: no deadlock.

    Parameters
    ----------
    total_bytes
        Split in halves between small and large leases; there is always one of each.
    large_bytes
        Size of a large lease.
    """

    small_bytes = 1 * MIB

    def __init__(self, total_bytes: int, large_bytes: int) -> None:
        self.large_bytes = large_bytes
        self._small = asyncio.Semaphore(max(1, total_bytes // 2 // self.small_bytes))
        self._large = asyncio.Semaphore(max(1, total_bytes // 2 // large_bytes))

    async def lease(self) -> "Lease":
        """Wait for a small lease."""
        await self._small.acquire()
        return Lease(self._small, self._large)


@dataclass(slots=True)
class Lease:
    """What one instance may take; given back by `release`."""

    _small: asyncio.Semaphore
    _large: asyncio.Semaphore
    _large_held: int = 0
    _small_held: bool = True

    async def grow(self) -> None:
        """Wait for a large lease in place of the small one."""
        if self._large_held:
            return
        await self._large.acquire()
        self._large_held = 1
        self._small_held = False
        self._small.release()

    async def try_double(self) -> bool:
        """Take a second large lease if one is free, so that one block travels while the next arrives."""
        if self._large_held == 1 and not self._large.locked():
            await self._large.acquire()  # does not wait, since it is not locked
            self._large_held = 2
        return self._large_held == 2

    def release(self) -> None:
        """Give everything back; a second call does nothing."""
        if self._small_held:
            self._small.release()
        for _ in range(self._large_held):
            self._large.release()
        self._small_held, self._large_held = False, 0
