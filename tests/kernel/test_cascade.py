"""What a deletion does to others, on nouns that have one of each effect."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pytest

from tests.running import BASE, PASSWORD, Running, running
from zstack_appliance.kernel.cascade import Cascade, plan
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.message import ADMIN, BeforeDelete, Delete, DeleteMode, Request, api
from zstack_appliance.kernel.plugin import Handler, Plugin
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT, SYSTEM
from zstack_appliance.kernel.schema import (
    DELETE,
    DETACH,
    FOLLOWS,
    SET_NULL,
    STOP,
    VETO,
    Record,
    Ref,
    Resource,
    Uuid,
    resource,
)
from zstack_appliance.kernel.standard import deletes
from zstack_appliance.kernel.tag import UserTag

WIRE = "org.zstack.test"


@resource(wire=WIRE, path="/rooms")
class Room(Resource, frozen=True, kw_only=True):
    """Has everything in it."""


@resource(wire=WIRE, path="/shelves")
class Shelf(Resource, frozen=True, kw_only=True):
    """Stands in a room and goes with it."""

    room_uuid: Annotated[Uuid, Ref(Room, on_delete=DELETE)]


def is_glued(box: Any) -> bool:
    """A box of this name and its lamp are one."""
    return bool(box.name == "glued")


@resource(wire=WIRE, path="/lamps")
class Lamp(Resource, frozen=True, kw_only=True):
    """Is switched off when its shelf goes; says what is in its room too."""

    shelf_uuid: Annotated[Uuid | None, Ref(Shelf, on_delete=STOP)] = None
    spare_shelf_uuid: Annotated[Uuid | None, Ref(Shelf, edge="spareShelf", on_delete=SET_NULL)] = None
    room_uuid: Annotated[Uuid | None, Ref(Room, on_delete=DELETE)] = None


@resource(wire=WIRE, path="/boxes")
class Box(Resource, frozen=True, kw_only=True):
    """Goes with its shelf, and takes its lamp along if it is glued to it."""

    shelf_uuid: Annotated[Uuid, Ref(Shelf, on_delete=DELETE)]
    room_uuid: Annotated[Uuid | None, Ref(Room, on_delete=FOLLOWS)] = None
    lamp_uuid: Annotated[Uuid | None, Ref(Lamp, on_delete=SET_NULL, inseparable=is_glued)] = None


@resource(wire=WIRE)
class Cable(Record, frozen=True, kw_only=True):
    """A part of a lamp; is unplugged when its shelf goes."""

    lamp_uuid: Annotated[Uuid, Ref(Lamp, on_delete=DELETE)]
    shelf_uuid: Annotated[Uuid, Ref(Shelf, on_delete=DETACH)]


@resource(wire=WIRE, path="/bolts")
class Bolt(Resource, frozen=True, kw_only=True):
    """Holds its shelf."""

    shelf_uuid: Annotated[Uuid | None, Ref(Shelf, on_delete=VETO)] = None
    room_uuid: Annotated[Uuid | None, Ref(Room, on_delete=DELETE)] = None


@api("DELETE", "/rooms/{uuid}", access=ADMIN)
class DeleteRoom(Delete, frozen=True, kw_only=True):
    """Delete a room."""

    uuid: Annotated[Uuid, Ref(Room)]


@api("DELETE", "/shelves/{uuid}", access=ADMIN)
class DeleteShelf(Delete, frozen=True, kw_only=True):
    """Delete a shelf."""

    uuid: Annotated[Uuid, Ref(Shelf)]


@api("DELETE", "/lamps/{uuid}", access=ADMIN)
class DeleteLamp(Delete, frozen=True, kw_only=True):
    """Delete a lamp."""

    uuid: Annotated[Uuid, Ref(Lamp)]


@api("DELETE", "/boxes/{uuid}", access=ADMIN)
class DeleteBox(Delete, frozen=True, kw_only=True):
    """Delete a box."""

    uuid: Annotated[Uuid, Ref(Box)]


@api("DELETE", "/bolts/{uuid}", access=ADMIN)
class DeleteBolt(Delete, frozen=True, kw_only=True):
    """Delete a bolt."""

    uuid: Annotated[Uuid, Ref(Bolt)]


class SwitchOff(Request[None], frozen=True, kw_only=True):
    """Take a lamp from its shelf."""

    uuid: Uuid


class Unplug(Request[None], frozen=True, kw_only=True):
    """Take a cable away."""

    uuid: Uuid


async def switch_off(m: SwitchOff, cloud: Cloud) -> None:
    """Serve `SwitchOff`; a lamp named ``stuck`` cannot be switched off while its description says so."""
    lamp = await cloud.get(Lamp, m.uuid)
    if lamp.description == "stuck":
        raise Conflict("the switch is stuck")
    await cloud.write(lambda tx: tx.update(tx.require(Lamp, m.uuid), shelf_uuid=None, description="off"))


async def unplug(m: Unplug, cloud: Cloud) -> None:
    """Serve `Unplug`."""
    await cloud.write(lambda tx: tx.delete(Cable, m.uuid))


async def keep_the_best(hook: BeforeDelete, _cloud: Cloud) -> None:
    """A contribution from elsewhere."""
    if isinstance(hook.row, Box) and hook.row.name == "best":
        raise Conflict("somebody still needs the best box")


ROOMS = Plugin(
    name="rooms",
    resources=(Room, Shelf, Lamp, Box, Cable, Bolt),
    handlers=(
        deletes(DeleteRoom),
        deletes(DeleteShelf),
        deletes(DeleteLamp),
        deletes(DeleteBox),
        deletes(DeleteBolt),
        Handler(SwitchOff, switch_off, lambda m: Lamp.key(m.uuid)),
        Handler(Unplug, unplug),
    ),
    hooks=((BeforeDelete, keep_the_best),),
    cascades={
        (Lamp, STOP): lambda lamp, _mode: SwitchOff(uuid=lamp.uuid),
        (Cable, DETACH): lambda cable, _mode: Unplug(uuid=cable.uuid),
    },
)


def uuid_of(name: str) -> str:
    """Each row's uuid follows from its name."""
    return name.encode().hex().ljust(32, "0")


def row(cls: type[Any], name: str, **values: Any) -> Any:
    """A row; names of others stand for their uuids."""
    named = {"name": name} if issubclass(cls, Resource) else {}
    refs = {key: uuid_of(value) if key.endswith("_uuid") else value for key, value in values.items()}
    return cls(uuid=uuid_of(name), create_date=0, last_op_date=0, **named, **refs)


@asynccontextmanager
async def cloud_of(data: Path, *rows: Any) -> AsyncIterator[Running]:
    """A cloud that holds a room, a shelf in it, and these."""
    async with running(data, plugins=(*BASE, ROOMS), password=PASSWORD) as cloud:
        whole = (row(Room, "room"), row(Shelf, "shelf", room_uuid="room"), *rows)
        await cloud.kernel.store.write(lambda tx: [tx.insert(each) for each in whole])
        yield cloud


def planned(cloud: Running, cls: type[Record], name: str) -> list[tuple[str, str]]:
    """The plan, as names and effects."""
    store = cloud.kernel.store
    names = {uuid_of(each): each for each in ("cable",)}
    return [
        (getattr(effect.row, "name", names.get(effect.row.uuid, "")), effect.effect.value)
        for effect in plan(store.reader, store.require(cls, uuid_of(name)))
    ]


async def delete(cloud: Running, message: type[Delete], name: str, mode: str = "Permissive") -> None:
    await cloud.portal.serve(message(uuid=uuid_of(name), delete_mode=DeleteMode(mode)), SYSTEM)


async def test_stops_come_first_then_detachments_then_deletions_from_the_leaves(tmp_path: Path) -> None:
    rows = (
        row(Box, "box", shelf_uuid="shelf", room_uuid="room"),
        row(Lamp, "lamp", shelf_uuid="shelf", spare_shelf_uuid="shelf"),
        row(Cable, "cable", lamp_uuid="lamp", shelf_uuid="shelf"),
    )
    async with cloud_of(tmp_path, *rows) as cloud:
        assert planned(cloud, Room, "room") == [
            ("lamp", "stop"),
            ("cable", "detach"),
            ("lamp", "set_null"),
            ("box", "delete"),
            ("shelf", "delete"),
            ("room", "delete"),
        ]
        await delete(cloud, DeleteRoom, "room")
        store = cloud.kernel.store
        lamp = store.require(Lamp, uuid_of("lamp"))
        assert (lamp.description, lamp.shelf_uuid, lamp.spare_shelf_uuid) == ("off", None, None)
        assert [store.count(cls) for cls in (Room, Shelf, Box, Cable)] == [0, 0, 0, 0]


async def test_what_goes_anyway_is_neither_stopped_nor_detached_nor_in_the_way(tmp_path: Path) -> None:
    rows = (
        row(Lamp, "lamp", shelf_uuid="shelf", room_uuid="room"),
        row(Cable, "cable", lamp_uuid="lamp", shelf_uuid="shelf"),
        row(Bolt, "bolt", shelf_uuid="shelf", room_uuid="room"),
    )
    async with cloud_of(tmp_path, *rows) as cloud:
        assert planned(cloud, Room, "room") == [
            ("cable", "delete"),
            ("lamp", "delete"),
            ("bolt", "delete"),
            ("shelf", "delete"),
            ("room", "delete"),
        ]
        await delete(cloud, DeleteRoom, "room")
        assert [cloud.kernel.store.count(cls) for cls in ROOMS.resources] == [0] * 6


async def test_inseparable_rows_go_together_whichever_goes_first(tmp_path: Path) -> None:
    rows = (
        row(Lamp, "lamp"),
        row(Lamp, "other"),
        row(Box, "glued", shelf_uuid="shelf", lamp_uuid="lamp"),
        row(Box, "loose", shelf_uuid="shelf", lamp_uuid="other"),
    )
    async with cloud_of(tmp_path, *rows) as cloud:
        assert planned(cloud, Lamp, "lamp") == [("glued", "delete"), ("lamp", "delete")]
        assert planned(cloud, Lamp, "other") == [("loose", "set_null"), ("other", "delete")]
        assert planned(cloud, Shelf, "shelf") == [
            ("glued", "delete"),
            ("lamp", "delete"),
            ("loose", "delete"),
            ("shelf", "delete"),
        ]
        await delete(cloud, DeleteShelf, "shelf")
        assert [lamp.name for lamp in cloud.kernel.store.find(Lamp)] == ["other"]


@pytest.mark.parametrize(
    ("guard", "reason"),
    [
        (row(Bolt, "bolt", shelf_uuid="shelf"), "Bolt[bolt] refers to it by shelfUuid"),
        (row(Box, "best", shelf_uuid="shelf"), "somebody still needs the best box"),
    ],
)
async def test_a_veto_and_a_hook_refuse_it_all_unless_enforced(tmp_path: Path, guard: Any, reason: str) -> None:
    async with cloud_of(tmp_path, guard, row(Lamp, "lamp", shelf_uuid="shelf")) as cloud:
        store = cloud.kernel.store
        before = store.feed.number
        with pytest.raises(Conflict, match=r"Room\[room\] cannot be deleted") as refused:
            await delete(cloud, DeleteRoom, "room")
        error = refused.value.to_wire()
        assert error.code == "SYS.1004"
        assert error.cause is not None
        assert (error.cause.details or "").startswith(reason)
        assert store.feed.number == before
        await delete(cloud, DeleteRoom, "room", "Enforcing")
        assert (store.count(Room), store.count(Shelf), store.count(Box)) == (0, 0, 0)
        assert store.require(Lamp, uuid_of("lamp")).description == "off"
        assert all(bolt.shelf_uuid is None for bolt in store.find(Bolt))


async def test_what_fails_half_way_is_told_and_asking_again_finishes(tmp_path: Path) -> None:
    rows = (
        row(Lamp, "lamp", shelf_uuid="shelf"),
        row(Lamp, "second", shelf_uuid="shelf", description="stuck"),
    )
    async with cloud_of(tmp_path, *rows) as cloud:
        store = cloud.kernel.store
        with pytest.raises(Conflict, match=r"Room\[room\] is not deleted yet: Lamp\[second\] failed to stop"):
            await delete(cloud, DeleteRoom, "room")
        assert store.require(Lamp, uuid_of("lamp")).description == "off"
        assert (store.count(Room), store.count(Shelf)) == (1, 1)
        await store.write(lambda tx: tx.update(tx.require(Lamp, uuid_of("second")), description=None))
        await delete(cloud, DeleteRoom, "room")
        assert (store.count(Room), store.count(Shelf), store.count(Lamp)) == (0, 0, 2)


async def test_enforcing_passes_over_what_fails(tmp_path: Path) -> None:
    rows = (
        row(Lamp, "lamp", shelf_uuid="shelf", description="stuck"),
        row(Cable, "cable", lamp_uuid="lamp", shelf_uuid="shelf"),
    )
    async with cloud_of(tmp_path, *rows) as cloud:
        await delete(cloud, DeleteRoom, "room", "Enforcing")
        store = cloud.kernel.store
        assert (store.count(Room), store.count(Shelf), store.count(Cable)) == (0, 0, 0)
        assert store.require(Lamp, uuid_of("lamp")).shelf_uuid is None


async def test_tags_go_with_every_row(tmp_path: Path) -> None:
    async with cloud_of(tmp_path, row(Box, "box", shelf_uuid="shelf")) as cloud, cloud.login() as admin:
        for kind, name in (("RoomVO", "room"), ("BoxVO", "box")):
            await admin.create("/user-tags", resourceType=kind, resourceUuid=uuid_of(name), tag="x")
        await admin.do("DELETE", f"/rooms/{uuid_of('room')}")
        assert cloud.kernel.store.count(UserTag) == 0


async def test_the_first_account_stays_in_every_mode(tmp_path: Path) -> None:
    async with cloud_of(tmp_path) as cloud, cloud.login() as admin:
        for mode in DeleteMode:
            error = await admin.refused("DELETE", f"/accounts/{ADMIN_ACCOUNT}?deleteMode={mode.value}")
            assert error["code"] == "SYS.1004"
        assert cloud.kernel.store.count(Room) == 1, "what it owns stays too"


def test_somebody_must_say_how_rows_are_stopped_and_detached() -> None:
    with pytest.raises(TypeError, match=r"Lamp\.shelf_uuid is on_delete=STOP"):
        Cascade([replace(ROOMS, cascades={(Cable, DETACH): ROOMS.cascades[Cable, DETACH]})])
