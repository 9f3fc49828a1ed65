"""Receives the payload of one part in bounded memory: into a buffer, or in blocks into an upload."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from io import BytesIO
from typing import Any

from chalicelib.errors import ContentTooLargeError
from chalicelib.ports import LandingUpload
from chalicelib.services.upload_memory import Lease, UploadMemory


class PartReceiver:
    """Reads payloads of any content.

    Parameters
    ----------
    memory
        Grants the leases that callers pass on; its large lease is the size of a block.
    max_instance_bytes
        Limit of a payload.
    run
        Runs a blocking function in a thread.
    """

    def __init__(self, memory: UploadMemory, max_instance_bytes: int, run: Callable[..., Awaitable[Any]]) -> None:
        self._small_bytes = memory.small_bytes
        self._block_bytes = memory.large_bytes
        self._max_instance_bytes = max_instance_bytes
        self._run = run

    async def fill(self, buffer: BytesIO, chunks: AsyncIterator[bytes | memoryview], lease: Lease) -> None:
        """Read into `buffer` until it has more than a block or the part ends."""
        size = buffer.tell()
        async for chunk in chunks:
            size += len(chunk)
            if size > self._small_bytes:
                await lease.grow()
            buffer.write(chunk)
            if size > self._block_bytes:
                break

    async def send_blocks(
        self,
        upload: LandingUpload,
        buffer: BytesIO,
        chunks: AsyncIterator[bytes | memoryview],
        lease: Lease,
    ) -> tuple[str, int]:
        """Send one block after the other; returns digest and size of the whole instance."""
        digest = hashlib.sha256()

        def send(block: bytes) -> None:
            digest.update(block)
            upload.append(block)

        size = 0
        sending: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        sending.set_result(None)
        try:
            while buffer.tell():
                size += buffer.tell()
                self.check_size(size)
                await sending
                sending = asyncio.ensure_future(self._run(send, _take(buffer)))
                if not await lease.try_double():
                    await sending
                await self.fill(buffer, chunks, lease)
        except BaseException:
            # The upload must not be aborted while a block is being sent; a fault of that block adds nothing.
            await asyncio.gather(sending, return_exceptions=True)
            raise
        await sending
        return digest.hexdigest(), size

    async def drain(self, chunks: AsyncIterator[bytes | memoryview]) -> None:
        """Read and discard the rest of a part that is not stored."""
        size = 0
        async for chunk in chunks:
            size += len(chunk)
            self.check_size(size)

    def check_size(self, size: int) -> None:
        """Raise ContentTooLargeError if a payload of this size is over the limit."""
        if size > self._max_instance_bytes:
            raise ContentTooLargeError(f"an instance is over the limit of {self._max_instance_bytes} bytes")


def _take(buffer: BytesIO) -> bytes:
    """Empty a buffer without a copy: its bytes are freed once they are sent, even if the buffer lives on."""
    content = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return content
