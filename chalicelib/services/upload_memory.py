"""Bounds the memory of all uploads together: leases of two sizes, granted in order."""

import asyncio
from dataclasses import dataclass


class UploadMemory:
    """Grants the memory in which instances are received.

    Strategy: every instance begins with a small lease, so that many slow senders of ordinary images do not block
    each other. An instance that outgrows it waits for a large lease and keeps the small one meanwhile. A holder
    of a large lease never waits for another lease, so one of them can always finish: no deadlock.

    Parameters
    ----------
    total_bytes
        Half of it is for small leases, half for large ones; there is always at least one of each.
    large_bytes
        Size of a large lease.
    """

    small_bytes = 1024 * 1024

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
    """The memory that one instance may use, until `release`."""

    _small: asyncio.Semaphore
    _large: asyncio.Semaphore
    _large_held: int = 0
    _small_held: bool = True

    async def grow(self) -> None:
        """Wait for a large lease, then return the small one."""
        if self._large_held:
            return
        await self._large.acquire()
        self._large_held = 1
        self._small_held = False
        self._small.release()

    async def try_double(self) -> bool:
        """Take a second large lease if one is free, so that one block is sent while the next arrives."""
        if self._large_held == 1 and not self._large.locked():
            await self._large.acquire()  # does not wait, since it is not locked
            self._large_held = 2
        return self._large_held == 2

    def release(self) -> None:
        """Return all leases; a second call does nothing."""
        if self._small_held:
            self._small.release()
        for _ in range(self._large_held):
            self._large.release()
        self._small_held, self._large_held = False, 0
