"""Events as the screens hear them, over a door that breaks off."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from zstack_appliance.cli.place import Place
from zstack_appliance.tui import remote
from zstack_appliance.tui.remote import Remote

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


def test_a_stream_that_breaks_is_taken_up_behind_its_last_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "RECONNECT_SECONDS", 0.01)
    asked: list[bytes] = []
    answers = [
        b'event: ready\nid: 4\ndata: {}\n\nevent: change\nid: 5.1\ndata: {"kind": "created", "uuid": "a"}\n\n',
        b"event: gap\nid: 9\ndata: {}\n\n",
    ]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        if len(asked) == 2:
            writer.write(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        else:
            writer.write(HEAD + answers.pop(0))
        await writer.drain()
        writer.close()

    async def run() -> list[Mapping[str, Any]]:
        door = tmp_path / "door"
        heard: list[Mapping[str, Any]] = []
        following = Remote(Place("http://localhost", socket=door)).follow()
        async with await asyncio.start_unix_server(serve, door), aclosing(following):
            async for event in following:
                heard.append(event)
                if event["kind"] == "gap":
                    return heard
        return heard

    heard = asyncio.run(asyncio.wait_for(run(), 20))
    assert [event["kind"] for event in heard if event["kind"] != "lost"] == ["ready", "created", "gap"]
    assert b"last-event-id" not in asked[0].lower()
    assert b"last-event-id: 5.1" in asked[2].lower()
