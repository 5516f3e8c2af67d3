"""What a door itself refuses, before any message exists: a status and a line of plain text, as ZStack does."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import PlainTextResponse


class Refusal(Exception):
    """The request cannot be turned into a message.

    Args:
        status: the HTTP status.
        text: what is wrong and what to send instead.
        headers: of the response.
    """

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = headers

    def response(self) -> PlainTextResponse:
        """The refusal as it is answered."""
        return PlainTextResponse(f"{self.text}\n", self.status, self.headers)
