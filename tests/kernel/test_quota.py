"""Quotas as declared: what counts, and what a write may add."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.api.things import THINGS, Thing
from tests.running import BASE, running
from zstack_appliance.cloud.account.limits import limit_of
from zstack_appliance.cloud.account.passwords import client_hash
from zstack_appliance.cloud.account.schema import AccountQuota
from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT
from zstack_appliance.kernel.quota import Quota, Quotas
from zstack_appliance.kernel.schema import OnOff

NUMBER = Quota("thing.num", 3, "things", Thing)
SIZE = Quota("thing.size", 10, "size of all things", Thing, "size")
LIMITED = replace(THINGS, quotas=(NUMBER, SIZE))
PLUGINS = (*BASE, LIMITED)


def thing(size: int) -> Thing:
    return Thing(uuid="1" * 32, create_date=1, last_op_date=1, name="a", size=size, shiny=False, labels=())


def zone(state: OnOff) -> Zone:
    return Zone(uuid="2" * 32, create_date=1, last_op_date=1, name="z", state=state, type="zstack", is_default=False)


def test_a_row_weighs_what_it_counts_for() -> None:
    assert (NUMBER.weight(thing(7)), SIZE.weight(thing(7))) == (1, 7)
    assert (NUMBER.weight(None), NUMBER.weight(zone(OnOff.ENABLED))) == (0, 0)
    enabled = Quota("zone.num", 1, "enabled zones", Zone, where={"state": (OnOff.ENABLED,)})
    assert [enabled.weight(zone(state)) for state in (OnOff.ENABLED, OnOff.DISABLED)] == [1, 0]


def test_a_name_is_one_quotas() -> None:
    with pytest.raises(ValueError, match=r"two quotas are named thing\.num"):
        Quotas([NUMBER, replace(SIZE, name="thing.num")], limit_of, ADMIN_ACCOUNT)


async def test_what_adds_is_checked_and_what_lowers_passes(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=PLUGINS) as cloud, cloud.login() as admin:
        made = await admin.create("/accounts", name="alice", password=client_hash("a"))
        async with cloud.login("alice", "a") as alice:
            store = cloud.kernel.store
            first = await alice.create("/things", name="a", size=6)
            error = await alice.refused("POST", "/things", {"params": {"name": "b", "size": 5}})
            assert error["code"] == "ID.1003"
            assert "may have 10 of quota[name:thing.size], has 6 and asks for 5 more" in error["details"]
            await alice.create("/things", name="b", size=4)
            path = f"/things/{first['uuid']}/actions"
            assert (await alice.refused("PUT", path, {"updateThing": {"size": 7}}))["code"] == "ID.1003"
            lower = {"updateQuota": {"identityUuid": made["uuid"], "name": "thing.size", "value": 1}}
            await admin.do("PUT", "/accounts/quotas/actions", lower)
            await alice.do("PUT", path, {"updateThing": {"size": 5}})
            await alice.do("PUT", path, {"updateThing": {"name": "c"}})
            assert SIZE.used(store.reader, made["uuid"]) == 9
            assert SIZE.used(store.reader, made["uuid"]) == sum(SIZE.weight(row) for row in store.find(Thing))
            await alice.do("DELETE", f"/things/{first['uuid']}")
            await admin.do("PUT", f"/things/{store.find(Thing)[0].uuid}/actions", {"updateThing": {"size": 50}})


async def test_a_quota_that_is_new_holds_for_old_accounts(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=(*BASE, THINGS)) as cloud, cloud.login() as admin:
        await admin.create("/accounts", name="alice", password=client_hash("a"))
        assert cloud.kernel.store.count(AccountQuota) == 0
    async with running(tmp_path, plugins=PLUGINS) as cloud, cloud.login() as admin:
        assert {row.name: row.value for row in cloud.kernel.store.find(AccountQuota)} == {
            "thing.num": 3,
            "thing.size": 10,
        }
        await admin.create("/things", name="a", size=60)
