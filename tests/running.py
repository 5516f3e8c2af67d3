"""A whole cloud inside one test: every built-in plugin on a real SQLite file, under the test's clock.

Primitives: `running` (opens it), `Running` (what is inside) and `Caller` (an HTTP client that knows ZStack's
manners: login, jobs, queries).
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import argon2
import httpx
import trio
from starlette.types import ASGIApp

import zstack_appliance.cloud
from zstack_appliance.api.answers import Answers
from zstack_appliance.api.app import make_app
from zstack_appliance.api.auth import Callers
from zstack_appliance.api.dates import printed
from zstack_appliance.api.health import health_route
from zstack_appliance.api.rest import CONFIGS, Rest
from zstack_appliance.cloud.account.attempts import LoginAttempts
from zstack_appliance.cloud.account.first_admin import FirstAdmin
from zstack_appliance.cloud.account.passwords import Passwords, client_hash
from zstack_appliance.cloud.account.plugin import plugin as account
from zstack_appliance.cloud.account.sessions import Sessions
from zstack_appliance.cloud.global_config.plugin import plugin as global_config
from zstack_appliance.cloud.tag.plugin import plugin as tag
from zstack_appliance.cloud.zone.plugin import plugin as zone
from zstack_appliance.kernel.bus import Bus
from zstack_appliance.kernel.cloud import Kernel
from zstack_appliance.kernel.compile import Compiler
from zstack_appliance.kernel.config import Configs
from zstack_appliance.kernel.derive.route import Routes
from zstack_appliance.kernel.edges import Graph
from zstack_appliance.kernel.inventory import Inventories
from zstack_appliance.kernel.job import Job, Jobs
from zstack_appliance.kernel.journal import FlowRun
from zstack_appliance.kernel.plugin import Plugin, discover
from zstack_appliance.kernel.portal import Portal
from zstack_appliance.kernel.query import Queries
from zstack_appliance.kernel.queues import Queues
from zstack_appliance.kernel.runner import Flows
from zstack_appliance.kernel.schema import Record
from zstack_appliance.kernel.store import Store
from zstack_appliance.kernel.tags import TagPatterns
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

    kernel: Kernel
    portal: Portal
    jobs: Jobs
    answers: Answers
    app: ASGIApp
    plugins: tuple[Plugin, ...]
    data: Path

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


@asynccontextmanager
async def running(
    data: Path,
    *,
    plugins: Iterable[Plugin] | None = None,
    password: str | None = PASSWORD,
    services: Mapping[type[Any], Any] | None = None,
    seed: int = 1,
) -> AsyncIterator[Running]:
    """Open a cloud in a folder, start it as the appliance does, and stop it at the end of the block.

    Args:
        data: where its database lies; opening it there again is a restart.
        plugins: by default every built-in one.
        password: the administrator's, at the first start; None lets the cloud draw one.
        services: what the composition root would provide, besides what every cloud has.
        seed: of its random values.
    """
    chosen = tuple(plugins) if plugins is not None else discover(zstack_appliance.cloud.__name__)
    resources: tuple[type[Record], ...] = (*(cls for p in chosen for cls in p.resources), Job, FlowRun)
    clock = TrioClock(EPOCH)
    sealer = MarkingSealer()
    async with Store.open(
        data / "cloud.db", resources, clock, sealer=sealer, threads=False, synchronous="OFF"
    ) as store:
        queues = Queues(lambda _key: 1)
        graph = Graph(resources)
        patterns = TagPatterns((tag for p in chosen for tag in p.tags), resources)
        kernel = Kernel(
            store=store,
            bus=Bus(chosen, queues),
            queues=queues,
            flows=Flows((flow for p in chosen for flow in p.flows), sealer),
            configs=Configs((*(config for p in chosen for config in p.configs), *CONFIGS)),
            clock=clock,
            # A restart must not draw the values again that are stored already.
            entropy=Entropy(random.Random(f"{seed} {store.feed.number}")),
            services={
                Graph: graph,
                TagPatterns: patterns,
                LoginAttempts: LoginAttempts(clock),
                Passwords: Passwords(at_once, argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)),
                FirstAdmin: FirstAdmin(data, password),
                **(services or {}),
            },
        )
        portal = Portal(kernel, [patterns])
        compiler = Compiler(graph, store.tables)
        inventories = Inventories(compiler, printed)
        answers = Answers(inventories, Queries(compiler, inventories, store), store.reader)
        async with trio.open_nursery() as nursery:
            jobs = Jobs(portal, answers, nursery)
            await jobs.recover()
            for plugin in chosen:
                for start in plugin.starts:
                    await start(kernel.as_system())
            for plugin in chosen:
                for task in plugin.tasks:
                    nursery.start_soon(task, kernel.as_system())
            routes = Routes(kernel.bus.requests, resources)
            rest = Rest(routes, portal, jobs, answers, Callers(Sessions(store, clock)))
            app = make_app(rest, [health_route("0.0.0", lambda: True)])
            yield Running(kernel, portal, jobs, answers, app, chosen, data)
            jobs.park()
            nursery.cancel_scope.cancel()
