"""A whole cloud inside one test: every built-in plugin on a real SQLite file, under the test's clock.

Primitives: `running` (opens it), `Running` (what is inside) and `Caller` (an HTTP client that knows ZStack's
manners: login, jobs, queries).
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import argon2
import httpx
from starlette.types import ASGIApp

from zstack_appliance.api.answers import Answers
from zstack_appliance.appliance import Appliance, Hosts, Outside, open_appliance
from zstack_appliance.cloud.account.passwords import client_hash
from zstack_appliance.cloud.account.plugin import plugin as account
from zstack_appliance.cloud.global_config.plugin import plugin as global_config
from zstack_appliance.cloud.host.links import HostLinks
from zstack_appliance.cloud.tag.plugin import plugin as tag
from zstack_appliance.cloud.zone.plugin import plugin as zone
from zstack_appliance.kernel.cloud import Kernel
from zstack_appliance.kernel.instance import Instance
from zstack_appliance.kernel.job import Jobs
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.portal import Portal
from zstack_appliance.kernel.runner import Probe
from zstack_appliance.kernel.world import Entropy, TrioClock

T = TypeVar("T")

BASE = (account, global_config, tag, zone)
"""The plugins that every cloud stands on, for tests that need no more."""

EPOCH = 1_700_000_000_000
"""Nov 14, 2023 22:13:20 UTC: when every test begins."""

PASSWORD = "correct horse battery"


class MarkingSealer:
    """Marks what it seals instead of encrypting it."""

    def seal(self, plain: bytes) -> str:
        """The text, marked."""
        return f"sealed:{plain.decode()}"

    def unseal(self, sealed: str) -> bytes:
        """The text, without its mark."""
        return sealed.removeprefix("sealed:").encode()


async def at_once(work: Callable[[], T]) -> T:
    """An `Offload` without a thread, which a virtual clock would take for idleness."""
    return work()


@dataclass
class Running:
    """The inside of a cloud that runs."""

    appliance: Appliance
    data: Path

    @property
    def kernel(self) -> Kernel:
        """Its mechanisms."""
        return self.appliance.kernel

    @property
    def portal(self) -> Portal:
        """The way from doors to handlers."""
        return self.appliance.portal

    @property
    def jobs(self) -> Jobs:
        """Its jobs."""
        return self.appliance.jobs

    @property
    def answers(self) -> Answers:
        """What makes bodies."""
        return self.appliance.answers

    @property
    def app(self) -> ASGIApp:
        """Its doors."""
        return self.appliance.app

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """What it consists of."""
        return self.appliance.plugins

    def client(self, base_url: str = "http://127.0.0.1:8080") -> httpx.AsyncClient:
        """A plain HTTP client at the door."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=base_url)

    @asynccontextmanager
    async def login(self, name: str = "admin", password: str = PASSWORD) -> AsyncIterator[Caller]:
        """Somebody with a session."""
        async with self.client() as client:
            caller = Caller(client)
            await caller.login(name, password)
            yield caller


@dataclass
class Caller:
    """Calls APIs as ZStack's clients do."""

    client: httpx.AsyncClient
    session: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    async def login(self, name: str, password: str) -> None:
        """Open a session and use it from now on."""
        body = {"logInByAccount": {"accountName": name, "password": client_hash(password)}}
        answer = await self.client.put("/zstack/v1/accounts/login", json=body)
        assert answer.status_code == 200, answer.text
        self.session = answer.json()["inventory"]["uuid"]
        self.headers["authorization"] = f"OAuth {self.session}"

    async def send(self, method: str, path: str, body: object = None, **options: Any) -> httpx.Response:
        """One request, as it is answered."""
        headers = {**self.headers, **options.pop("headers", {})}
        return await self.client.request(method, f"/zstack/v1{path}", headers=headers, json=body, **options)

    async def call(self, method: str, path: str, body: object = None) -> httpx.Response:
        """The final answer to a call: of its job, if it becomes one."""
        answer = await self.send(method, path, body)
        if answer.status_code != 202:
            return answer
        location = answer.json()["location"]
        while answer.status_code == 202:
            answer = await self.client.get(location, headers={"prefer": "wait=30"})
        return answer

    async def do(self, method: str, path: str, body: object = None) -> Any:
        """The inventory that a call ends with; None where it answers none."""
        answer = await self.call(method, path, body)
        assert answer.status_code == 200, answer.text
        return answer.json().get("inventory")

    async def create(self, path: str, **params: object) -> Any:
        """The inventory of what a POST makes."""
        return await self.do("POST", path, {"params": params})

    async def query(self, path: str, *conditions: str, **params: object) -> list[dict[str, Any]]:
        """The inventories that match every condition."""
        answer = await self.send("GET", path, params={"q": list(conditions), **params})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["inventories"]
        return found

    async def refused(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """The error that a call ends with."""
        answer = await self.call(method, path, body)
        assert answer.status_code == 503, answer.text
        error: dict[str, Any] = answer.json()["error"]
        return error


def no_hosts(_instance: Instance, _plugins: tuple[Plugin, ...]) -> HostLinks:
    """A cloud that reaches no host."""
    return HostLinks({})


@asynccontextmanager
async def running(
    data: Path,
    *,
    plugins: Iterable[Plugin] | None = None,
    password: str | None = PASSWORD,
    hosts: Hosts = no_hosts,
    probe: Probe | None = None,
    seed: int = 1,
) -> AsyncIterator[Running]:
    """Open a cloud in a folder as the appliance itself does, and stop it at the end of the block.

    Args:
        data: where its database lies; opening it there again is a restart.
        plugins: by default every built-in one.
        password: the administrator's, at the first start; None lets the cloud draw one.
        hosts: what reaches hosts.
        probe: watches flows.
        seed: of its random values.
    """
    # A restart must not draw the values again that are stored already.
    starts = data / "starts"
    start = len(starts.read_bytes()) if starts.exists() else 0
    starts.write_bytes(b"." * (start + 1))
    outside = Outside(
        data=data,
        instance=Instance("abc123"),
        clock=TrioClock(EPOCH),
        entropy=Entropy(random.Random(f"{seed} {start}")),
        sealer=MarkingSealer(),
        hosts=hosts,
        offload=at_once,
        hasher=argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1),
        password=password,
        probe=probe,
        threads=False,
        synchronous="OFF",
    )
    async with open_appliance(outside, plugins) as appliance:
        yield Running(appliance, data)
