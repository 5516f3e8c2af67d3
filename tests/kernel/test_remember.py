"""A plugin that has gone: its rows stay, are shown as missing, are let be, and can be deleted by force alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import pytest

from tests.running import BASE, Caller, Running, running
from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.absent import PluginRecord
from zstack_appliance.kernel.message import ADMIN, Create, Delete, Read, Update, api
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.schema import DELETE, SET_NULL, VETO, Record, Ref, Resource, Uuid, resource
from zstack_appliance.kernel.standard import creates, deletes, updates


@resource(wire="org.rack", path="/racks", discriminator="type")
class Rack(Resource, frozen=True, kw_only=True):
    """Stands in a zone."""

    zone_uuid: Annotated[Uuid, Ref(Zone, back="rack", on_delete=DELETE)]
    type: str


@resource(wire="org.rack", kind="Steel")
class SteelRack(Rack, frozen=True, kw_only=True):
    """Of the plugin that goes."""

    weight: int
    spare_zone_uuid: Annotated[Uuid | None, Ref(Zone, edge="spareZone", on_delete=SET_NULL)] = None


@resource(wire="org.rack", path="/rack-slots")
class Slot(Record, frozen=True, kw_only=True):
    """Has no name, so it goes with its rack."""

    rack_uuid: Annotated[Uuid, Ref(Rack, back="slot", on_delete=DELETE)]


@resource(wire="org.rack", path="/rack-locks")
class Lock(Resource, frozen=True, kw_only=True):
    """Keeps a zone from being deleted."""

    zone_uuid: Annotated[Uuid, Ref(Zone, back="lock", on_delete=VETO)]


@api("POST", "/racks", access=ADMIN, wire="org.rack")
class CreateSteelRack(Create[Rack], frozen=True, kw_only=True):
    """Make one."""

    name: str
    zone_uuid: Annotated[Uuid, Ref(Zone)]
    spare_zone_uuid: Annotated[Uuid | None, Ref(Zone)] = None
    weight: int = 7


@api("POST", "/rack-slots", access=ADMIN, wire="org.rack")
class CreateSlot(Create[Slot], frozen=True, kw_only=True):
    """Make one."""

    rack_uuid: Annotated[Uuid, Ref(Rack)]


@api("POST", "/rack-locks", access=ADMIN, wire="org.rack")
class CreateLock(Create[Lock], frozen=True, kw_only=True):
    """Make one."""

    name: str
    zone_uuid: Annotated[Uuid, Ref(Zone)]


@api("PUT", "/racks/{uuid}/actions", access=ADMIN, wire="org.rack")
class UpdateRack(Update[Rack], frozen=True, kw_only=True):
    """Rename one."""

    uuid: Annotated[Uuid, Ref(Rack)]
    name: str | None = None


@api("DELETE", "/racks/{uuid}", access=ADMIN, wire="org.rack", reply=None)
class DeleteRack(Delete, frozen=True, kw_only=True):
    """Delete one."""

    uuid: Annotated[Uuid, Ref(Rack)]


@api("GET", "/racks/{uuid}/name", access=ADMIN, wire="org.rack", sync=True, reply=None)
class GetRackName(Read[Rack], frozen=True, kw_only=True):
    """Read one."""

    uuid: Annotated[Uuid, Ref(Rack)]


async def act(_message: DeleteRack, _cloud: Any) -> None:
    """What deletes a rack whose plugin is there; it can not delete another."""
    raise AssertionError("a record without its plugin is deleted as a record")


RACK = Plugin(name="rack", resources=(Rack,), handlers=(updates(UpdateRack), deletes(DeleteRack, act=act)))
STEEL = Plugin(
    name="steel",
    resources=(SteelRack, Slot, Lock),
    handlers=(creates(CreateSteelRack, SteelRack, type="Steel"), creates(CreateSlot, Slot), creates(CreateLock, Lock)),
)


@asynccontextmanager
async def opened(folder: Path, *plugins: Plugin) -> AsyncIterator[tuple[Running, Caller]]:
    async with running(folder, plugins=(*BASE, RACK, *plugins)) as cloud, cloud.login() as admin:
        yield cloud, admin


async def filled(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """A zone and a rack in it, made while all is there."""
    async with opened(folder, STEEL) as (_, admin):
        zone = await admin.create("/zones", name="z")
        rack = await admin.create("/racks", name="r", zoneUuid=zone["uuid"], spareZoneUuid=zone["uuid"])
        assert rack["weight"] == 7
        return zone, rack


async def test_a_row_without_its_plugin_is_shown_and_comes_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    zone, rack = await filled(tmp_path)
    async with opened(tmp_path) as (_, admin):
        [shown] = await admin.query("/racks", f"zone.uuid={zone['uuid']}", "type=Steel")
        assert (shown["type"], shown["missingType"], shown["missingPlugin"]) == ("missing", "Steel", "steel")
        assert "weight" not in shown
        assert await admin.query("/racks", "type=missing") == [shown]
        assert await admin.query("/racks", "type!=missing") == []
        assert (await admin.send("GET", "/rack-slots")).status_code == 404
    assert "the plugin steel is missing; its rows stay and wait for it: 1 of steel_rack" in caplog.text
    async with opened(tmp_path, STEEL) as (_, admin):
        assert await admin.query("/racks") == [rack]


async def test_operations_are_refused_and_say_what_to_put_back(tmp_path: Path) -> None:
    zone, rack = await filled(tmp_path)
    async with opened(tmp_path) as (cloud, admin):
        path = f"/racks/{rack['uuid']}"
        rename = await admin.refused("PUT", f"{path}/actions", {"updateRack": {"name": "s"}})
        assert "Rack[r] is of type[Steel], and the plugin steel, which brought that, is missing" in rename["details"]
        for gone in (path, f"/zones/{zone['uuid']}"):
            refused = await admin.refused("DELETE", gone)
            assert "put steel back" in str(refused)
        assert (await admin.send("DELETE", f"{path}?dryRun=true")).status_code != 200
        assert cloud.kernel.store.find(Rack)[0].name == "r"


async def test_by_force_it_goes_with_all_that_is_left_of_it(tmp_path: Path) -> None:
    zone, rack = await filled(tmp_path)
    async with opened(tmp_path, STEEL) as (_, admin):
        await admin.create("/rack-slots", rackUuid=rack["uuid"])
    async with opened(tmp_path) as (cloud, admin):
        await admin.do("DELETE", f"/racks/{rack['uuid']}?deleteMode=Enforcing")
        for table in ("rack", "steel_rack", "slot"):
            assert cloud.kernel.store.reader.select(f"SELECT * FROM {table}") == []
        await admin.do("DELETE", f"/zones/{zone['uuid']}")


async def test_what_refers_from_a_table_that_is_left_makes_way_as_it_had_said(tmp_path: Path) -> None:
    zone, _ = await filled(tmp_path)
    async with opened(tmp_path, STEEL) as (_, admin):
        other = await admin.create("/zones", name="other")
        await admin.create("/racks", name="s", zoneUuid=other["uuid"], spareZoneUuid=zone["uuid"])
    async with opened(tmp_path) as (cloud, admin):
        assert "put steel back" in str(await admin.refused("DELETE", f"/zones/{zone['uuid']}"))
        await admin.do("DELETE", f"/zones/{zone['uuid']}?deleteMode=Enforcing")
        assert [row.name for row in cloud.kernel.store.find(Rack)] == ["s"]
    async with opened(tmp_path, STEEL) as (cloud, _):
        [left] = cloud.kernel.store.find(SteelRack)
        assert (left.name, left.weight, left.spare_zone_uuid) == ("s", 7, None)


async def test_what_forbade_a_deletion_forbids_it_still(tmp_path: Path) -> None:
    async with opened(tmp_path, STEEL) as (_, admin):
        zone = await admin.create("/zones", name="z")
        await admin.create("/rack-locks", name="l", zoneUuid=zone["uuid"])
    async with opened(tmp_path) as (cloud, admin):
        refused = await admin.refused("DELETE", f"/zones/{zone['uuid']}")
        assert "rows of lock refer to Zone[z], and the plugin steel, which knows them, is missing" in str(refused)
        await admin.do("DELETE", f"/zones/{zone['uuid']}?deleteMode=Enforcing")
        assert cloud.kernel.store.reader.select("SELECT * FROM lock") == []


async def test_a_start_that_learns_nothing_writes_nothing(tmp_path: Path) -> None:
    await filled(tmp_path)
    async with opened(tmp_path, STEEL) as (cloud, _):
        records = cloud.kernel.store.find(PluginRecord)
    async with opened(tmp_path) as (cloud, _):
        assert cloud.kernel.store.find(PluginRecord) == records
        assert cloud.kernel.store.tables.absent.kinds == {("rack", "Steel"): "steel"}
