"""A response that is produced piece by piece.

Primitive: `StreamedResponse`, the one to use for event streams and downloads.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.responses import StreamingResponse
from starlette.types import Send


class StreamedResponse(StreamingResponse):
    """A body from an async generator, which is closed before the request ends.

    Starlette leaves the generator of a cancelled response to the garbage collector, and with it whatever
    the generator holds open: a file, a subscription to the change feed.

    Args:
        produce: yields the body's pieces.
        media_type: the content type.
        headers: others, if any. With ``content-length`` the body is sent as it is, else in chunks.
    """

    def __init__(
        self,
        produce: AsyncGenerator[bytes | str, None],
        media_type: str,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(produce, media_type=media_type, headers=headers)
        self._produce = produce

    async def stream_response(self, send: Send) -> None:
        """Send the body to its end, and close its producer however that goes."""
        async with aclosing(self._produce):
            await super().stream_response(send)
