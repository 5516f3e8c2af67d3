"""A streamed response closes what produces it, however the request ends."""

from collections.abc import AsyncGenerator

import pytest
import trio
from starlette.types import Message

from zstack_appliance.api.streaming import StreamedResponse

SCOPE = {"type": "http", "method": "GET", "asgi": {"spec_version": "2.3"}}


class Producer:
    def __init__(self) -> None:
        self.closed = False

    async def produce(self) -> AsyncGenerator[bytes, None]:
        try:
            yield b"one"
            yield b"two"
        finally:
            self.closed = True


async def test_a_body_in_pieces() -> None:
    producer = Producer()
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    response = StreamedResponse(producer.produce(), "text/plain", {"content-length": "6"})
    await response(SCOPE, _never, send)
    assert [message.get("body") for message in sent] == [None, b"one", b"two", b""]
    assert (b"content-length", b"6") in sent[0]["headers"]
    assert producer.closed


async def test_cancelled_while_a_piece_is_sent() -> None:
    producer = Producer()
    with trio.CancelScope() as scope:

        async def send(message: Message) -> None:
            if message.get("body") == b"one":
                scope.cancel()
                await trio.sleep_forever()

        await StreamedResponse(producer.produce(), "text/plain")(SCOPE, _never, send)
    assert scope.cancelled_caught
    assert producer.closed


async def test_a_send_that_fails() -> None:
    producer = Producer()

    async def send(message: Message) -> None:
        if message.get("body") == b"one":
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await StreamedResponse(producer.produce(), "text/plain")(SCOPE, _never, send)
    assert producer.closed


async def _never() -> Message:
    await trio.sleep_forever()
    raise AssertionError("the client sends nothing")
