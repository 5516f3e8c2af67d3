"""Where proofs take place: `Stage` keeps a first cloud and, for each scenario, the moment before its call.

Everything runs under a virtual clock of its own and on copies, so that each proof begins from the same moment
and draws the same random values.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import trio
from trio.testing import MockClock

from tests.proofs.disturbance import Disturbance
from tests.proofs.scenarios import Scenario, World
from tests.proofs.states import ProofFailed, State, capture, settle
from tests.running import EPOCH, SimulatedCloud, every_plugin, on, running, simulated_cloud
from zstack_appliance.appliance import Hosts
from zstack_appliance.cloud.host.simulated.fleet import Fleet
from zstack_appliance.kernel.flow import Placed
from zstack_appliance.kernel.job import Job
from zstack_appliance.kernel.message import Request
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.principal import SYSTEM
from zstack_appliance.kernel.runner import Probe
from zstack_appliance.kernel.together import leaves

T = TypeVar("T")

HOUR = 3_600_000
JOB_UUID = "0a" * 16


def in_virtual_time(work: Callable[[], Awaitable[T]]) -> T:
    """Run an async function to its end under a clock that jumps whenever everybody waits.

    Raises:
        ProofFailed: bare, even from inside a nursery.
    """
    try:
        return trio.run(work, clock=MockClock(autojump_threshold=0))
    except BaseExceptionGroup as group:
        failed = next((error for error in leaves(group) if isinstance(error, ProofFailed)), None)
        if failed is None:
            raise
        raise failed from None


def copied(fleet: Fleet) -> Fleet:
    """A fleet of its own, in the same state, to which nobody listens."""
    nobody_listens: dict[int, Any] = {id(machine.listeners): [] for machine in fleet.machines.values()}
    return copy.deepcopy(fleet, nobody_listens)


def copy_database(source: Path, target: Path) -> None:
    """The database of one data folder, with what is still in its log, in a new folder."""
    target.mkdir(parents=True)
    for name in ("cloud.db", "cloud.db-wal"):
        if (source / name).exists():
            shutil.copy(source / name, target / name)


@dataclass(frozen=True)
class Start:
    """A cloud just before a scenario's call."""

    scenario: Scenario
    data: Path
    fleet: Fleet
    message: Request[Any]


@dataclass(frozen=True)
class Ending:
    """What became of one call."""

    before: State
    after: State
    job: Job


@dataclass
class Stage:
    """Starts and plans for every scenario, made when they are first asked for.

    Args:
        root: an empty folder.
    """

    root: Path
    plugins: tuple[Plugin, ...] = field(default_factory=every_plugin)
    _first: tuple[Path, Fleet] | None = None
    _starts: dict[str, Start] = field(default_factory=dict)
    _undisturbed: dict[str, Ending] = field(default_factory=dict)
    _folders: int = 0

    @property
    def plans(self) -> dict[str, tuple[Placed, ...]]:
        """The plan of every registered flow."""
        return {flow.name: flow.plan() for plugin in self.plugins for flow in plugin.flows}

    def new_folder(self) -> Path:
        """The path of a folder that does not exist yet."""
        self._folders += 1
        return self.root / f"{self._folders}"

    def start(self, scenario: Scenario) -> Start:
        """The moment before the scenario's call."""
        if scenario.name not in self._starts:
            data, fleet = self.first_cloud()
            self._starts[scenario.name] = in_virtual_time(lambda: self._prepare(scenario, data, fleet))
        return self._starts[scenario.name]

    def undisturbed(self, scenario: Scenario) -> Ending:
        """What the call comes to when nothing goes wrong."""
        if scenario.name not in self._undisturbed:
            self._undisturbed[scenario.name] = self.run(self.start(scenario))
        return self._undisturbed[scenario.name]

    def run(
        self, start: Start, disturbance: Disturbance | None = None, *, plugins: tuple[Plugin, ...] | None = None
    ) -> Ending:
        """Make the call as a job, and wait until nothing is under way any more."""
        return in_virtual_time(lambda: self._run(start, disturbance, plugins))

    async def _run(self, start: Start, disturbance: Disturbance | None, plugins: tuple[Plugin, ...] | None) -> Ending:
        fleet = copied(start.fleet)
        async with self.opened(start.data, fleet, probe=disturbance, plugins=plugins) as cloud:
            await settle(cloud)
            before = capture(cloud.data, fleet)
            if disturbance is not None:
                disturbance.begin(lambda: cloud.jobs.cancel(JOB_UUID))
            await cloud.jobs.submit(start.message, SYSTEM, job_uuid=JOB_UUID)
            await settle(cloud)
            return Ending(before, capture(cloud.data, fleet), cloud.jobs.get(JOB_UUID))

    @asynccontextmanager
    async def opened(
        self,
        data: Path,
        fleet: Fleet,
        *,
        hosts: Hosts | None = None,
        probe: Probe | None = None,
        plugins: tuple[Plugin, ...] | None = None,
    ) -> AsyncIterator[SimulatedCloud]:
        """An appliance on a copy of a database, an hour after the first cloud was made."""
        folder = self.new_folder()
        copy_database(data, folder)
        opening = running(
            folder,
            plugins=plugins or self.plugins,
            hosts=hosts or on(fleet),
            probe=probe,
            epoch=EPOCH + HOUR,
        )
        async with opening as cloud:
            yield SimulatedCloud(cloud.appliance, folder, fleet)

    def first_cloud(self) -> tuple[Path, Fleet]:
        """A first cloud's data folder and hosts, made once; copy them."""
        if self._first is None:
            data = self.new_folder()
            data.mkdir()

            async def make() -> Fleet:
                async with simulated_cloud(data) as cloud:
                    return cloud.fleet

            self._first = data, in_virtual_time(make)
        return self._first

    async def _prepare(self, scenario: Scenario, data: Path, fleet: Fleet) -> Start:
        fleet = copied(fleet)
        async with self.opened(data, fleet) as cloud:
            message = await scenario.prepare(World(cloud))
            await settle(cloud)
        return Start(scenario, cloud.data, copied(fleet), message)
