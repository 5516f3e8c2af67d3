"""The cloud under test: `Site` opens it, asks it, kills it, and brings it to rest.

Every operation is a job, as the doors make them, so that what became of it can be asked even after a kill.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import trio

from tests.eventually import eventually
from tests.model.fates import Fates
from tests.model.operations import Operation
from tests.proofs.stage import Stage, copied, copy_database
from tests.proofs.states import settle
from tests.running import EPOCH, SimulatedCloud, on, running
from zstack_appliance.cloud.host.schema import Host, HostState, HostStatus
from zstack_appliance.cloud.host.simulated.fleet import Fleet, Weather
from zstack_appliance.kernel.errors import ErrorCode
from zstack_appliance.kernel.job import Job, JobState
from zstack_appliance.kernel.store import Store
from zstack_appliance.kernel.world import Entropy

FAIR = Weather()
STORM_SECONDS = 300.0
"""Virtual seconds that bad weather lasts at most."""
RETRY_SECONDS = 70.0
REST_SECONDS = 3600.0
"""Virtual seconds in which hosts that answer again must be connected, and what is under way must have ended."""


@dataclass(frozen=True)
class Answer:
    """What became of one operation."""

    done: bool
    """Whether it succeeded."""
    known: bool = True
    """False if a kill came before the job was written down: then nothing may have happened."""
    error: ErrorCode | None = None

    @property
    def text(self) -> str:
        """For people."""
        if self.done:
            return "done"
        return "never heard of" if self.error is None else f"{self.error.code}: {self.error.details}"


@dataclass
class Site:
    """One appliance on simulated hosts, which can die and come back.

    Args:
        stage: has the first cloud that this begins as.
        folder: an empty one.
        seed: of the hosts' faults and of the appliance's random values.
    """

    stage: Stage
    folder: Path
    seed: int
    openings: int = 0
    _cloud: SimulatedCloud | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def cloud(self) -> SimulatedCloud:
        """The appliance that lives now."""
        assert self._cloud is not None
        return self._cloud

    @property
    def store(self) -> Store:
        """Its store."""
        return self.cloud.kernel.store

    @property
    def fleet(self) -> Fleet:
        """Its hosts."""
        return self.cloud.fleet

    @property
    def fates(self) -> Fates:
        """Which of their commands fail."""
        dice = self.fleet.dice
        assert isinstance(dice, Fates)
        return dice

    async def begin(self) -> None:
        """Open the first appliance."""
        data, fleet = self.stage.first_cloud()
        fleet = copied(fleet)
        fleet.dice = Fates(self.seed)
        folder = self._next_folder()
        copy_database(data, folder)
        await self._open(folder, fleet)

    async def close(self) -> None:
        """Stop the appliance. Safe to repeat."""
        await self._stack.aclose()
        self._stack = AsyncExitStack()

    async def restart(self) -> None:
        """Stop the appliance as a signal does, and open it again."""
        data, fleet = self.cloud.data, self.fleet
        await self.close()
        await self._open(data, fleet)

    async def kill(self) -> None:
        """Go on from what a kill would leave behind at this moment; the old appliance sees nothing of it."""
        folder = self._next_folder()
        copy_database(self.cloud.data, folder)
        fleet = copied(self.fleet)
        await self.close()
        await self._open(folder, fleet)

    async def submit(self, operations: Sequence[Operation]) -> None:
        """Hand operations in as jobs, all at one time."""
        async with trio.open_nursery() as nursery:
            for one in operations:
                nursery.start_soon(self._submit, one)

    async def _submit(self, one: Operation) -> None:
        await self.cloud.jobs.submit(one.message, one.principal, job_uuid=one.uuid)

    async def answers(self, operations: Sequence[Operation]) -> list[Answer]:
        """Wait until each has ended, and say how. Bad weather does not last for ever.

        Raises:
            AssertionError: an operation does not end although every host has answered for long.
        """
        with trio.move_on_after(STORM_SECONDS):
            return [await self._answer(one) for one in operations]
        self.clear_up()
        with trio.move_on_after(REST_SECONDS):
            return [await self._answer(one) for one in operations]
        left = [one for one in operations if self.store.require(Job, one.uuid).state is JobState.RUNNING]
        raise AssertionError(f"these do not end: {left}")

    async def _answer(self, one: Operation) -> Answer:
        job = self.store.get(Job, one.uuid)
        if job is None:
            return Answer(done=False, known=False)
        while job.state is JobState.RUNNING:
            job = await self.cloud.jobs.wait(one.uuid, REST_SECONDS)
            # A job that waits for a run which is stuck is not waited for; it ends with the run.
            await trio.sleep(1.0)
        error = None if job.error is None else msgspec.json.decode(job.error, type=ErrorCode)
        return Answer(done=job.state is JobState.SUCCEEDED, error=error)

    def clear_up(self) -> None:
        """Have fair weather, and every host back."""
        self.fleet.weather = FAIR
        for machine in self.fleet.machines.values():
            machine.reachable = True

    async def rest(self) -> None:
        """Have fair weather, every host back, and wait until nothing is under way any more."""
        self.clear_up()
        # Hosts may be found lost a little later still, by pings that were on their way.
        await eventually(self._all_connected, within=REST_SECONDS, every=5.0)
        await settle(self.cloud)
        # What is tried again, is tried once a minute.
        await trio.sleep(RETRY_SECONDS)
        await eventually(self._all_connected, within=REST_SECONDS, every=5.0)

    def _all_connected(self) -> bool:
        late = [
            host.name
            for host in self.store.find(Host)
            if host.status is not HostStatus.CONNECTED and host.state is not HostState.MAINTENANCE
        ]
        assert not late, f"hosts {late} are not connected"
        return True

    def _next_folder(self) -> Path:
        self.openings += 1
        return self.folder / f"{self.openings}"

    async def _open(self, data: Path, fleet: Fleet) -> None:
        self.openings += 1
        opening = running(
            data,
            plugins=self.stage.plugins,
            password=None,
            hosts=on(fleet),
            epoch=EPOCH + 3_600_000,
            entropy=Entropy(random.Random(f"{self.seed} {self.openings}")),
        )
        cloud = await self._stack.enter_async_context(opening)
        self._cloud = SimulatedCloud(cloud.appliance, data, fleet)
