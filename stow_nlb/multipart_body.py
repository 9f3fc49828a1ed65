"""Reads a multipart/related body (RFC 2046 §5.1) part by part as it arrives, with bounded memory."""

import re
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser

from chalicelib.errors import MalformedMultipartError

_MAX_PREAMBLE_BYTES = 64 * 1024
_MAX_HEADERS = 32
_MAX_HEADER_BYTES = 8 * 1024


class _End(Enum):
    """Event at the end of a part."""

    PART = "part"


# Events of a part: its media type, then pieces of its payload, then its end.
_Event = str | memoryview | _End


@dataclass(slots=True)
class BodyPart:
    """One part: the media type from its header, and its payload, which can be read once."""

    media_type: str
    _body: "MultipartBody"

    def chunks(self) -> AsyncIterator[memoryview]:
        """Pieces of the payload; none is empty."""
        return self._body.payload()


class MultipartBody:
    """The parts of a body.

    The push parser of python-multipart finds the delimiters. This class adds what multipart/form-data does not
    have: a preamble, and padding after the first delimiter. A body that ends without its last delimiter is an
    error. The Content-Length of a part is ignored: only the delimiter ends a part.

    Parameters
    ----------
    chunks
        The body as it arrives; ends with the request.
    boundary
        Boundary parameter of the Content-Type, without the leading hyphens.
    """

    def __init__(self, chunks: AsyncIterator[bytes], boundary: bytes) -> None:
        self._chunks = chunks
        self._delimiter = b"--" + boundary
        self._events: deque[_Event] = deque()
        self._name = self._value = b""
        self._media_type = ""
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
            max_header_count=_MAX_HEADERS,
            max_header_size=_MAX_HEADER_BYTES,
        )

    async def parts(self) -> AsyncIterator[BodyPart]:
        """The parts in order; the unread rest of a part is skipped.

        Raises
        ------
        MalformedMultipartError
            The body breaks RFC 2046, or ends before its last delimiter.
        """
        await self._skip_preamble()
        while (event := await self._next_event()) is not None:
            if isinstance(event, str):
                yield BodyPart(event, self)

    async def payload(self) -> AsyncIterator[memoryview]:
        """The rest of the payload of the part that is being read."""
        while isinstance(event := await self._next_event(), memoryview):
            yield event

    async def _next_event(self) -> _Event | None:
        """The next event; None after the last delimiter, when the request has been read completely."""
        while not self._events:
            chunk = await anext(self._chunks, b"")
            if chunk:
                self._parse(chunk)
            elif self._ended:
                return None
            else:
                raise MalformedMultipartError("the body ends before its closing boundary")
        return self._events.popleft()

    async def _skip_preamble(self) -> None:
        # RFC 2046 §5.1.1: a delimiter stands at the beginning of a line, and padding may follow it.
        first = re.compile(rb"(?:\A|\n)" + re.escape(self._delimiter) + rb"[ \t]*(?=\r\n|--)")
        head = b""
        async for chunk in self._chunks:
            head += chunk
            if found := first.search(head):
                self._parse(self._delimiter + head[found.end() :])
                return
            if len(head) > _MAX_PREAMBLE_BYTES:
                break
        raise MalformedMultipartError("the body does not begin with its boundary")

    def _parse(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except MultipartParseError as error:
            raise MalformedMultipartError("the multipart body breaks the rules of RFC 2046") from error

    def _on_part_begin(self) -> None:
        self._media_type = ""
        self._name = self._value = b""

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._name.lower() == b"content-type":
            media_type, _, _ = self._value.decode("latin-1").partition(";")
            self._media_type = media_type.strip().lower()
        self._name = self._value = b""

    def _on_headers_finished(self) -> None:
        self._events.append(self._media_type)

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(memoryview(data)[start:end])

    def _on_part_end(self) -> None:
        self._events.append(_End.PART)

    def _on_end(self) -> None:
        self._ended = True
