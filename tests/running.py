"""A whole cloud inside one test: the appliance itself on a real SQLite file, under the test's clock.

Primitives: `running` (opens one with any plugins), `simulated_cloud` (opens one with every plugin and a first
cloud on simulated hosts), `Running` (what is inside) and `Caller` (an HTTP client that knows ZStack's manners:
login, jobs, queries).
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import argon2
import httpx
from starlette.types import ASGIApp

import zstack_appliance.cloud
from zstack_appliance.api.answers import Answers
from zstack_appliance.appliance import Appliance, Hosts, Outside, open_appliance
from zstack_appliance.cloud.account.passwords import client_hash
from zstack_appliance.cloud.account.plugin import plugin as account
from zstack_appliance.cloud.global_config.plugin import plugin as global_config
from zstack_appliance.cloud.host.links import HostLinks
from zstack_appliance.cloud.host.simulated.fleet import Fleet, Weather
from zstack_appliance.cloud.tag.plugin import plugin as tag
from zstack_appliance.cloud.zone.plugin import plugin as zone
from zstack_appliance.first_cloud import FirstCloud, make_first_cloud
from zstack_appliance.hostkit.simulated_files import SimulatedFile
from zstack_appliance.kernel.cloud import Kernel
from zstack_appliance.kernel.instance import Instance
from zstack_appliance.kernel.job import Jobs
from zstack_appliance.kernel.plugin import Plugin, discover
from zstack_appliance.kernel.portal import Portal
from zstack_appliance.kernel.runner import Probe
from zstack_appliance.kernel.world import Entropy, TrioClock

T = TypeVar("T")

BASE = (account, global_config, tag, zone)
"""The plugins that every cloud stands on, for tests that need no more."""

EPOCH = 1_700_000_000_000
"""Nov 14, 2023 22:13:20 UTC: when every test begins."""

PASSWORD = "correct horse battery"


INSTANCE = "a1b2c3"


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
class SimulatedCloud(Running):
    """A cloud that runs on simulated hosts."""

    fleet: Fleet


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
    seed: int = 1,
    hosts: Hosts = no_hosts,
    probe: Probe | None = None,
    epoch: int = EPOCH,
    web: Path | None = None,
    entropy: Entropy | None = None,
    metrics_token: str = "",
) -> AsyncIterator[Running]:
    """Open a cloud in a folder, and stop it at the end of the block.

    Args:
        data: where its database lies; opening it there again is a restart.
        plugins: by default every built-in one.
        password: the administrator's, at the first start; None lets the cloud draw one.
        seed: of its random values.
        hosts: reaches hosts; by default there are none.
        probe: watches every flow's steps.
        epoch: milliseconds UTC at trio's time 0.
        web: the folder ``webui``, for a cloud that serves pages.
        entropy: its random values, instead of those by `seed`.
        metrics_token: with which strangers may read ``/metrics``.
    """
    outside = Outside(
        data=data,
        instance=Instance(INSTANCE),
        clock=TrioClock(epoch),
        # A restart must not draw the values again that are stored already.
        entropy=entropy or Entropy(random.Random(f"{seed} {_digest(data)}")),
        sealer=MarkingSealer(),
        hosts=hosts,
        offload=at_once,
        hasher=argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1),
        password=password,
        probe=probe,
        threads=False,
        synchronous="OFF",
        web=web,
        metrics_token=metrics_token,
    )
    async with open_appliance(outside, plugins) as appliance:
        yield Running(appliance, data)


def _digest(data: Path) -> str:
    """Of the database as it lies in a folder, with what is still in its log."""
    found = [path for name in ("cloud.db", "cloud.db-wal") if (path := data / name).exists()]
    return hashlib.sha256(b"".join(path.read_bytes() for path in found)).hexdigest()


@asynccontextmanager
async def simulated_cloud(
    data: Path, *, hosts: int = 2, weather: Weather | None = None, seed: int = 1, web: Path | None = None
) -> AsyncIterator[SimulatedCloud]:
    """Open a cloud with every plugin and have it make its first cloud on simulated hosts.

    Args:
        data: where its database lies.
        hosts: how many; each has 4 threads and 8 GiB.
        weather: how well hosts answer once the first cloud is made; until then they answer well.
        seed: of its random values, and of the hosts' faults.
        web: the folder ``webui``, for a cloud that serves pages.
    """
    plugins = every_plugin()
    fleet = simulated_fleet(plugins, data, seed=seed)
    async with running(data, plugins=plugins, seed=seed, hosts=on(fleet), web=web) as cloud:
        await make_first_cloud(cloud.appliance, first_cloud(data, hosts))
        fleet.weather = weather or fleet.weather
        yield SimulatedCloud(cloud.appliance, data, fleet)


def every_plugin() -> tuple[Plugin, ...]:
    """All built-in ones."""
    return discover(zstack_appliance.cloud.__name__)


def simulated_fleet(plugins: Iterable[Plugin], folder: Path, *, seed: int = 1) -> Fleet:
    """Hosts in memory, which serve every URL as the tiny image and see one backup storage below `folder`."""
    return Fleet(
        INSTANCE,
        [plugin.host_side for plugin in plugins],
        random.Random(seed),
        elsewhere=SimulatedFile("qcow2", 112 * 2**20, 18 * 2**20, sha256="0" * 64, md5="0" * 32),
        shared_folders=[str(folder / "backup")],
    )


def on(fleet: Fleet) -> Hosts:
    """The hosts of this fleet and no others."""
    return lambda _instance, _plugins: HostLinks({"Simulator": fleet})


def first_cloud(data: Path, hosts: int) -> FirstCloud:
    """What `simulated_cloud` has its cloud make."""
    return FirstCloud(
        folder=data,
        image=data / "images" / "tiny.qcow2",
        image_folders=(data / "images",),
        public_cidr="172.30.0.0/24",
        private_cidr="10.0.0.0/24",
        dns=("9.9.9.9",),
        simulated_hosts=hosts,
        simulated_cpus=4,
        simulated_memory=8 * 2**30,
    )
