"""The state machine: `CloudMachine`. One rule asks for one thing, another for several at once, while hosts fail or
vanish and the appliance is killed or restarted, and one lets guests die and time pass; after each the cloud is held
against the mirror.
"""

from __future__ import annotations

import hashlib
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, ClassVar

import hypothesis.strategies as st
import trio
from hypothesis import note
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.model import people, places, vms
from tests.model.limits import above_limit, most_busy, room
from tests.model.mirror import GONE, Mirror
from tests.model.operations import Operation, Pen
from tests.model.records import KINDS, first_things, state_of
from tests.model.rest import at_rest, visible_rows
from tests.model.site import FAIR, Answer, Site
from tests.model.stepper import Stepper
from tests.model.truths import at_any_time
from tests.proofs.stage import Stage
from zstack_appliance.cloud.account.messages import CreateAccount, ShareResource, UpdateQuota
from zstack_appliance.cloud.account.schema import Account
from zstack_appliance.cloud.backup_storage.schema import BackupStorage
from zstack_appliance.cloud.global_config.messages import UpdateGlobalConfig
from zstack_appliance.cloud.host.driver import VmState as GuestState
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.cloud.host.simulated.fleet import Weather
from zstack_appliance.cloud.instance_offering.messages import CreateInstanceOffering
from zstack_appliance.cloud.network_service.schema import NetworkServiceProvider
from zstack_appliance.cloud.vm_instance.schema import VmInstance
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT, SYSTEM, Principal
from zstack_appliance.kernel.tag import UserTag

SEEDS = st.integers(0, 2**32 - 1)
ACCOUNTS = {"ann": 1, "bob": 2}
"""To each account, how many busy VMs it may have at first."""
HUGE = (8, 5 * 2**30)
"""CPUs and memory of an offering for everybody; a host has room for one such VM, so that hosts become full."""
DEFECT = "an internal error happened"
"""How an error begins that nobody meant to raise."""


@cache
def stage() -> Stage:
    """One first cloud for the whole process."""
    return Stage(Path(tempfile.mkdtemp(prefix="model-stage-")))


class CloudMachine(RuleBasedStateMachine):
    """A cloud, and what it should be."""

    outcomes: ClassVar[Counter[str]] = Counter()
    """What became of how many operations, over all examples: a model that is refused everything tests nothing."""

    story: ClassVar[Any] = hashlib.sha256()
    """Of everything that was asked and answered: the same in every process that was given the same seed."""

    def __init__(self) -> None:
        super().__init__()
        self.stepper = Stepper(self._leave)
        self.folder = Path(tempfile.mkdtemp(prefix="model-"))
        self.mirror = Mirror()
        self.accounts: dict[str, Principal] = {ADMIN_ACCOUNT: SYSTEM}
        self.looks = 0

    # --- rules -----------------------------------------------------------------------------------------

    @initialize(seed=SEEDS)
    def begin(self, seed: int) -> None:
        """A first cloud, and accounts that may have a few busy VMs each."""
        self.site = Site(stage(), self.folder, seed)
        self.stepper.run(self._begin)
        self.mirror.add(*first_things(self.site.store))

    @rule(seed=SEEDS)
    def one_thing(self, seed: int) -> None:
        """One operation, in fair weather: the mirror knows what must become of it."""
        pen = Pen(self.mirror, random.Random(seed), self.accounts)
        operation = self._draw(pen, [*self._shared_families(), *_ALONE])
        if operation is not None:
            self._go([operation], FAIR, exact=True)

    @rule(seed=SEEDS)
    def several_things(self, seed: int) -> None:
        """Several operations at one time, while hosts are slow, fail, and lose answers, or one does not answer;
        at times the appliance is killed, or stopped, in the midst of it, and comes back.
        """
        dice = random.Random(seed)
        weather = self.site.fates.weather(dice)
        absent = dice.choice([None, None, *(host.uuid for host in self.mirror.of("host"))])
        end = dice.choice([None, None, None, None, None, None, self.site.kill, self.site.restart])
        foul = weather.fault_rate > 0 or absent is not None or end is not None
        pen = Pen(self.mirror, dice, self.accounts, foul=foul)
        shared = self._shared_families()
        drawn = self._crowd(pen) if pen.chance(6) else [self._draw(pen, shared) for _ in range(dice.randint(2, 6))]
        if absent is not None:
            self.site.fleet.machines[absent].reachable = False
        note(f"{weather}, {self.site.fates}, {absent} is absent, {'no end' if end is None else end.__name__}")
        after = dice.choice([0.0, 0.1, 0.3, 1.0, 3.0])
        self._go([each for each in drawn if each is not None], weather, end=end, after=after)

    @rule(seed=SEEDS)
    def nobody_asks(self, seed: int) -> None:
        """A guest powers itself off, and the records follow; or time passes, and nothing changes, as what was
        destroyed is kept for a week.
        """
        dice = random.Random(seed)
        running = self.mirror.of("vm", "Running")
        if not running or dice.randrange(2):
            self.stepper.run(partial(trio.sleep, dice.choice([60.0, 60.0, 300.0, 300.0, 1800.0])))
            self._hold({})
            return
        vm = dice.choice(running)
        note(f"{vm.name} powers itself off")
        self.site.fleet.machines[vm.place or ""].settle(vm.uuid, GuestState.STOPPED, "by itself")
        self.stepper.run(partial(trio.sleep, 1.0))
        self._hold({vm.uuid: {"Stopped"}})

    def teardown(self) -> None:
        """Leave nothing behind."""
        try:
            self.stepper.close()
        finally:
            shutil.rmtree(self.folder)

    # --- what is asked ---------------------------------------------------------------------------------

    def _draw(self, pen: Pen, families: list[Family]) -> Operation | None:
        return pen.pick(families)(pen)

    def _crowd(self, pen: Pen) -> list[Operation | None]:
        """One account wants one or two VMs more than its quota has room for, all at once."""
        account = pen.pick(sorted(self.mirror.limits))
        number = room(self.mirror, account) + pen.pick((1, 2))
        return [vms.crave(pen, account) for _ in range(number)]

    def _shared_families(self) -> list[Family]:
        """What may be asked beside other things. VMs come often."""
        store = self.site.store
        provider = store.find(NetworkServiceProvider, name="Namespace")[0]
        services = partial(places.services, provider=provider.uuid, types=tuple(provider.network_service_types))
        image = partial(people.image, backup_storage=store.find(BackupStorage)[0].uuid)
        tag = partial(people.tag, tags=sorted(row.uuid for row in store.find(UserTag)))
        return [*_COMMON, services, image, tag]

    # --- what becomes of it ----------------------------------------------------------------------------

    def _go(
        self,
        operations: list[Operation],
        weather: Weather,
        *,
        exact: bool = False,
        end: Callable[[], Awaitable[None]] | None = None,
        after: float = 0.0,
    ) -> None:
        """Ask for all, wait, and hold the cloud against the mirror."""
        answers = self.stepper.run(partial(self._ask, operations, weather, end, after))
        for one, answer in zip(operations, answers, strict=True):
            note(f"{one}: {answer.text}")
            self.story.update(f"{one}: {answer.text}\n".encode())
            self.outcomes["done" if answer.done else "refused"] += 1
            assert DEFECT not in answer.text, f"{one}: {answer.text}"
            if exact and one.verdict is not None:
                assert answer.done == one.verdict, f"{one} should {'' if one.verdict else 'not '}be done: {answer.text}"
        possible = self.mirror.possible(operations, answers, exact=exact)
        allowed = most_busy(self.mirror, operations)
        self.mirror.add(*(thing for one in operations for thing in one.makes))
        for one, answer in zip(operations, answers, strict=True):
            if answer.done and one.then is not None:
                one.then(self.mirror)
        self._hold(possible)
        _refuse(above_limit(self.mirror, allowed))

    async def _ask(
        self,
        operations: list[Operation],
        weather: Weather,
        end: Callable[[], Awaitable[None]] | None,
        after: float,
    ) -> list[Answer]:
        self.site.fleet.weather = weather
        await self.site.submit(operations)
        if end is not None:
            await trio.sleep(after)
            await end()
        return await self.site.answers(operations)

    def _hold(self, possible: Mapping[str, Iterable[str]]) -> None:
        """Check what must be true now, have the cloud at rest, and check the rest."""
        _refuse(at_any_time(self.site))
        self.stepper.run(self.site.rest)
        _refuse([*at_any_time(self.site), *self.stepper.run(partial(at_rest, self.site))])
        self.looks += 1
        for principal in self.accounts.values():
            # One kind after the other, as looking at all of them at every step would take most of the time.
            cls = list(KINDS.values())[self.looks % len(KINDS)]
            if not principal.admin:
                _refuse(self.stepper.run(partial(visible_rows, self.site, cls, principal)))
        self._compare(possible)

    def _compare(self, possible: Mapping[str, Iterable[str]]) -> None:
        """Every thing is in a state that it may be in; what nobody touched is as it was."""
        store = self.site.store
        rows = {row.uuid: row for cls in KINDS.values() for row in store.find(cls)}
        _refuse([f"nobody asked for {row.name}" for uuid, row in rows.items() if uuid not in self.mirror.things])
        for uuid, thing in list(self.mirror.things.items()):
            row = rows.get(uuid)
            state = GONE if row is None else state_of(row)
            allowed = set(possible.get(uuid, (thing.state,)))
            assert state in allowed, f"{thing.kind} {thing.name} is {state}, it may be {sorted(allowed)}"
            self.mirror.learn(uuid, state=state)
            if isinstance(row, VmInstance):
                self._learn_place(row)

    def _learn_place(self, vm: VmInstance) -> None:
        place = vm.host_uuid or vm.last_host_uuid
        assert place is None or self.site.store.get(Host, place) is not None, f"VM {vm.name} is on a host that is gone"
        above = {vm.zone_uuid} if vm.zone_uuid else set()
        owner = self.mirror.things[vm.uuid].owner
        self.mirror.learn(vm.uuid, place=place, above=(owner, *above))

    async def _leave(self) -> None:
        if hasattr(self, "site"):
            await self.site.close()

    async def _begin(self) -> None:
        await self.site.begin()
        serve = self.site.cloud.portal.serve
        strategy = random.Random(self.site.seed).choice(people.STRATEGIES)
        await serve(UpdateGlobalConfig(category="l3Network", name="ipAllocateStrategy", value=strategy), SYSTEM)
        uuid, (cpus, memory) = self.mirror.fresh(), HUGE
        await serve(CreateInstanceOffering(resource_uuid=uuid, name="huge", cpu_num=cpus, memory_size=memory), SYSTEM)
        await serve(ShareResource(resource_uuids=(uuid,), to_public=True), SYSTEM)
        for name, limit in ACCOUNTS.items():
            new = CreateAccount(resource_uuid=self.mirror.fresh(), name=name, password="x" * 128)
            account: Account = await serve(new, SYSTEM)
            await serve(UpdateQuota(identity_uuid=account.uuid, name="vm.num", value=limit), SYSTEM)
            self.accounts[account.uuid] = Principal(account.uuid, admin=False)
            self.mirror.limits[account.uuid] = limit


def _refuse(problems: list[str]) -> None:
    assert not problems, "\n  ".join(["the cloud is not as it should be:", *problems])


Family = Callable[[Pen], Operation | None]

_COMMON: list[Family] = [
    *[vms.create] * 3,
    *[vms.fill] * 2,
    *[vms.act] * 6,
    *[vms.destroy] * 2,
    places.zone_or_cluster,
    places.host,
    places.storage,
    places.l2,
    places.l3,
    places.switch,
    *[places.delete] * 2,
    people.offering,
]

_ALONE: list[Family] = [*[vms.fill] * 3, people.share, people.quota, people.setting, *[people.trespass] * 2]
"""What changes the rules for everything else is asked for alone."""
