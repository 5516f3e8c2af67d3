"""The appliance, as the screens reach it: `Remote` asks and calls in threads, `follow` listens to its events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

import httpx
import msgspec
from httpx_sse import SSEError, aconnect_sse

from zstack_appliance.cli.client import Client
from zstack_appliance.cli.exits import CliError, Exit
from zstack_appliance.cli.names import Resolver
from zstack_appliance.cli.place import Place
from zstack_appliance.cli.steps import steps_of
from zstack_appliance.cli.values import parse
from zstack_appliance.kernel.message import Request
from zstack_appliance.kernel.schema import Record

T = TypeVar("T")

RECONNECT_SECONDS = 1.0
"""How long to wait before listening again, when the appliance is not there."""

_SILENCE_SECONDS = 45.0
"""An event stream says something every 15 s; one that is silent for three of them has died unseen."""


class Remote:
    """One appliance, for one person.

    Args:
        place: which, and as whom.
    """

    def __init__(self, place: Place) -> None:
        self.place = place

    async def run(self, work: Callable[[Client], T]) -> T:
        """Do something with a connection of its own, in a thread.

        Raises:
            CliError: the appliance refused, failed, or did not answer.
        """

        def with_client() -> T:
            client = Client(self.place)
            try:
                return work(client)
            finally:
                client.close()

        return await asyncio.to_thread(with_client)

    async def query(self, path: str, conditions: Sequence[str] = (), **page: Any) -> Mapping[str, Any]:
        """The body of a query's answer."""
        return await self.run(lambda client: client.query(path, conditions, **page))

    async def call(self, message: type[Request[Any]], pairs: Sequence[tuple[str, str]]) -> Any:
        """Call an API with parameters as a person wrote them, and wait for what comes of it."""
        return await self.run(
            lambda client: client.call(message, parse(message, pairs, Resolver(client).uuid)),
        )

    async def row(self, noun: type[Record], name: str) -> Mapping[str, Any]:
        """The inventory of what is called so."""
        return await self.run(lambda client: Resolver(client).row(noun, name))

    async def plan(self, path: str, uuid: str) -> Sequence[Mapping[str, str]]:
        """What deleting a resource would do, in order."""

        def ask(client: Client) -> Sequence[Mapping[str, str]]:
            answer = client.send("DELETE", f"{path}/{uuid}?dryRun=true")
            if answer.status != 200:
                error = answer.body.get("error", {}) if isinstance(answer.body, dict) else {}
                raise CliError(str(error.get("details") or f"the appliance answered {answer.status}"))
            found: Sequence[Mapping[str, str]] = answer.body["plan"]
            return found

        return await self.run(ask)

    async def steps(self, job_uuid: str) -> Sequence[Mapping[str, Any]]:
        """The steps of a job."""
        return await self.run(lambda client: steps_of(client, job_uuid))

    async def follow(self) -> AsyncGenerator[Mapping[str, Any], None]:
        """Every event that this person may see, for ever; ``{"kind": "gap"}`` says that some were missed.

        A connection that breaks is made anew, and takes up behind the last event that came.
        """
        last = ""
        while True:
            try:
                async with aclosing(self._listen(last)) as heard:
                    async for name, number, data in heard:
                        last = number or last
                        yield msgspec.json.decode(data) if name == "change" else {"kind": name}
            except (httpx.HTTPError, SSEError):
                yield {"kind": "lost"}
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self, last: str) -> AsyncGenerator[tuple[str, str, str], None]:
        headers = {"last-event-id": last} if last else {}
        if self.place.session is not None:
            headers["authorization"] = f"OAuth {self.place.session}"
        socket = None if self.place.socket is None else str(self.place.socket)
        transport = httpx.AsyncHTTPTransport(uds=socket)
        timeout = httpx.Timeout(10.0, read=_SILENCE_SECONDS)
        async with (
            httpx.AsyncClient(transport=transport, base_url=self.place.url, timeout=timeout) as client,
            aconnect_sse(client, "GET", "/events", headers=headers) as source,
        ):
            source.response.raise_for_status()
            async for event in source.aiter_sse():
                yield event.event, event.id, event.data


def is_login_needed(error: CliError) -> bool:
    """Whether a person has to log in first."""
    return error.exit_code == Exit.FORBIDDEN
