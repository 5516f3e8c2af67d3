"""A client that goes away takes its query with it, down to the statement that SQLite runs in a thread."""

from __future__ import annotations

import threading
from pathlib import Path

import trio
from starlette.types import Receive, Scope, Send

from tests.api.serving import client, serving_app
from tests.eventually import eventually
from tests.kernel.store.nouns import opened
from tests.kernel.store.test_pool import FOREVER


class Slow:
    """An application that answers every request with a query that never ends by itself."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.asked = threading.Event()
        self.interrupted = threading.Event()

    async def __call__(self, scope: Scope, _receive: Receive, _send: Send) -> None:
        async with opened(self._data, threads=True) as store:
            self.asked.set()
            try:
                await store.query(FOREVER)
            except trio.Cancelled:
                self.interrupted.set()
                raise


async def test_a_client_that_goes_away_interrupts_its_query(tmp_path: Path) -> None:
    app = Slow(tmp_path)

    async def is_set(event: threading.Event) -> bool:
        return event.is_set()

    async with serving_app(app) as server, client(server.url) as http:
        stream = await http.socket("GET /slow HTTP/1.1\nhost: x")
        await eventually(lambda: is_set(app.asked), within=5.0)
        await trio.lowlevel.checkpoint()
        assert not app.interrupted.is_set()
        await stream.aclose()
        await eventually(lambda: is_set(app.interrupted), within=5.0)
