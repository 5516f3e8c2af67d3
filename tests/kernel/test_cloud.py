"""The kernel on behalf of one caller: drafts, services, drivers, and whose the rows are."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
from trio.testing import MockClock

from tests.running import BASE, EPOCH, running
from zstack_appliance.cloud.zone.messages import CreateZone
from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.errors import Conflict, NotFound
from zstack_appliance.kernel.instance import Instance
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT, NOBODY, SYSTEM, Principal
from zstack_appliance.kernel.schema import OnOff
from zstack_appliance.kernel.store import Tx


async def test_a_draft_copies_what_the_message_gives(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, plugins=BASE) as cloud:
        system = cloud.kernel.as_system()
        m = CreateZone(name="z", description="text", resource_uuid="1" * 32)
        zone = system.draft(Zone, m, state=OnOff.ENABLED, type="zstack", is_default=False)
        assert (zone.uuid, zone.name, zone.description) == ("1" * 32, "z", "text")
        assert zone.create_date == zone.last_op_date == EPOCH
        other = system.draft(Zone, CreateZone(name="z"), name="y", state=OnOff.ENABLED, type="zstack", is_default=False)
        assert other.name == "y"
        assert len(other.uuid) == 32


async def test_what_is_inserted_belongs_to_the_caller(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, plugins=BASE) as cloud:
        for principal in (SYSTEM, Principal("2" * 32, admin=False)):
            caller = cloud.kernel.as_system().acting_as(principal)
            m = CreateZone(name="z")
            zone = caller.draft(Zone, m, state=OnOff.ENABLED, type="zstack", is_default=False)
            await caller.write(functools.partial(_insert, zone))
            assert cloud.kernel.store.owner(Zone, zone.uuid) == principal.account_uuid
            assert await caller.get(Zone, zone.uuid) == zone
        with pytest.raises(NotFound):
            await caller.get(Zone, "3" * 32)


async def test_what_nobody_provides(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, plugins=BASE) as cloud:
        system = cloud.kernel.as_system()
        assert len(system.use(Instance).id) == 6
        with pytest.raises(LookupError, match="provides no int"):
            system.use(int)
        with pytest.raises(Conflict, match=r"type\[gone\] has no driver"):
            system.driver(Path, "gone")


def _insert(zone: Zone, tx: Tx) -> None:
    tx.insert(zone)


def test_only_the_appliance_itself_acts_without_a_session() -> None:
    assert (SYSTEM.account_uuid, SYSTEM.admin) == (ADMIN_ACCOUNT, True)
    assert (NOBODY.account_uuid, NOBODY.admin) == ("", False)
