"""Kill an appliance everywhere: `record` keeps the moments of one run, `Moment.recovered` lives on from one.

A moment is the database as each commit left it, together with the hosts as they were then, or as the last
command changed them. Those are all the states that a crash can leave behind.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import apsw
from trio.abc import Stream

from tests.proofs.disturbance import Disturbance
from tests.proofs.stage import JOB_UUID, Ending, Stage, Start, copied, copy_database, in_virtual_time
from tests.proofs.states import State, capture, settle
from tests.running import SimulatedCloud
from zstack_appliance.appliance import Hosts
from zstack_appliance.cloud.host.driver import HostDriver, HostNotice, OpenChannel
from zstack_appliance.cloud.host.links import HostLinks
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.cloud.host.simulated.fleet import Fleet
from zstack_appliance.kernel.flow import Placed
from zstack_appliance.kernel.host_link import Report
from zstack_appliance.kernel.job import Job
from zstack_appliance.kernel.principal import SYSTEM
from zstack_appliance.kernel.remote import Command
from zstack_appliance.kernel.runner import NoProbe, Probe

R = TypeVar("R")


@dataclass(frozen=True)
class Moment:
    """What a kill would leave behind."""

    steps: frozenset[str]
    """The steps during which, or in whose commit, it was."""
    data: Path
    fleet: Fleet

    def goes_forward(self, plan: tuple[Placed, ...], known: frozenset[str]) -> bool:
        """Whether the journal says that the pivot had begun, or that all was done.

        Args:
            plan: of the flow.
            known: runs of before.
        """
        run = next((row for row in _runs(self.data, plan[0].id.partition("/")[0]) if row[0] not in known), None)
        if run is None:
            return False
        _, state, position = run
        return state == "Done" or (state == "Forward" and plan[position].forward_only)

    def recovered(self, stage: Stage) -> tuple[State, Job | None]:
        """The state that a new appliance brings this to, and what it says of the job."""
        fleet = copied(self.fleet)

        async def live_on() -> tuple[State, Job | None]:
            async with stage.opened(self.data, fleet) as cloud:
                await settle(cloud)
                return capture(cloud.data, fleet), cloud.kernel.store.get(Job, JOB_UUID)

        return in_virtual_time(live_on)


def runs_before(start: Start) -> frozenset[str]:
    """The uuids of the runs that a scenario began with."""
    return frozenset(uuid for uuid, _, _ in _runs(start.data, start.scenario.flow))


def _runs(data: Path, flow: str) -> list[tuple[str, str, int]]:
    connection = apsw.Connection(str(data / "cloud.db"), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        sql = "SELECT uuid, state, position FROM flow_run WHERE flow = ?"
        return [(str(u), str(s), int(p)) for u, s, p in connection.execute(sql, (flow,))]
    finally:
        connection.close()


def record(stage: Stage, start: Start, disturbance: Disturbance | None = None) -> tuple[Ending, list[Moment]]:
    """Make the call, disturbed or not, and keep every moment of it."""
    fleet = copied(start.fleet)
    recorder = _Recorder(stage, fleet, disturbance or NoProbe())

    async def run() -> Ending:
        async with stage.opened(start.data, fleet, hosts=recorder.hosts(), probe=recorder) as cloud:
            await settle(cloud)
            before = capture(cloud.data, fleet)
            with_hook = cloud.kernel.store._writer._connection
            recorder.begin(cloud)
            if disturbance is not None:
                disturbance.begin(lambda: cloud.jobs.cancel(JOB_UUID))
            with_hook.set_wal_hook(recorder.committed)
            await cloud.jobs.submit(start.message, SYSTEM, job_uuid=JOB_UUID)
            await cloud.jobs.wait(JOB_UUID, 3600.0)
            with_hook.set_wal_hook(None)
            recorder.end()
            await settle(cloud)
            return Ending(before, capture(cloud.data, fleet), cloud.jobs.get(JOB_UUID))

    ending = in_virtual_time(run)
    return ending, recorder.moments


@dataclass
class _Recorder:
    """A probe that keeps moments, labelled by the steps that it sees."""

    stage: Stage
    fleet: Fleet
    inner: Probe
    moments: list[Moment] = field(default_factory=list)
    _cloud: SimulatedCloud | None = None
    _current: set[str] = field(default_factory=set)
    _in_commit: set[str] = field(default_factory=set)
    _seen: str = ""

    def begin(self, cloud: SimulatedCloud) -> None:
        """Keep moments from now on."""
        self._cloud = cloud
        self._seen = repr(self.fleet.inventory())

    def end(self) -> None:
        """Keep no more."""
        self._cloud = None

    async def at(self, point: str, step: str) -> None:
        """See `Probe.at`."""
        self._current = {step}
        await self.inner.at(point, step)

    def in_tx(self, step: str) -> None:
        """See `Probe.in_tx`."""
        self._in_commit.add(step)
        self.inner.in_tx(step)

    def committed(self, _connection: apsw.Connection, _name: str, _pages: int) -> int:
        """SQLite's hook after each commit."""
        self._keep(self._current | self._in_commit)
        self._in_commit = set()
        return apsw.SQLITE_OK

    def host_changed(self) -> None:
        """A host has carried out a command."""
        if self._cloud is not None and repr(self.fleet.inventory()) != self._seen:
            self._keep(self._current)

    def hosts(self) -> Hosts:
        """The fleet, watched."""
        return lambda _instance, _plugins: HostLinks({"Simulator": _Watched(self)})

    def _keep(self, steps: set[str]) -> None:
        if self._cloud is None:
            return
        self._seen = repr(self.fleet.inventory())
        folder = self.stage.new_folder()
        copy_database(self._cloud.data, folder)
        self.moments.append(Moment(frozenset(steps), folder, copied(self.fleet)))


@dataclass(frozen=True)
class _Watched:
    """A transport that tells the recorder of every command."""

    recorder: _Recorder

    def link(self, host: Host) -> HostDriver:
        """See `Transport.link`."""
        return _WatchedHost(self.recorder.fleet.link(host), self.recorder)


class _WatchedHost(HostDriver):
    def __init__(self, driver: HostDriver, recorder: _Recorder) -> None:
        self._driver = driver
        self._recorder = recorder

    async def connect(self) -> None:
        await self._driver.connect()

    async def ask(self, command: Command[R], *, report: Report | None = None) -> R:
        try:
            return await self._driver.ask(command, report=report)
        finally:
            self._recorder.host_changed()

    async def open(self, wish: OpenChannel) -> Stream:
        return await self._driver.open(wish)

    async def notices(self) -> AsyncGenerator[HostNotice, None]:
        async for notice in self._driver.notices():
            yield notice
