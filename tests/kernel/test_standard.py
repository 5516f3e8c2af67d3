"""Handlers that plain resources need no code for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pytest

from tests.api.things import THINGS, WIRE, CreateThing, DeleteThing, Thing, UpdateThing
from tests.running import BASE, Running, running
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.message import ADMIN, Action, Create, Delete, Request, StateEvent, api
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.principal import SYSTEM
from zstack_appliance.kernel.schema import DELETE, OnOff, Ref, Resource, Uuid, resource
from zstack_appliance.kernel.standard import creates, deletes, switches_state
from zstack_appliance.kernel.store import Tx
from zstack_appliance.kernel.tag import SystemTagRow, UserTag

GONE = "f" * 32


@resource(wire=WIRE, path="/lids")
class Lid(Resource, frozen=True, kw_only=True):
    """Lies on a thing."""

    thing_uuid: Annotated[Uuid, Ref(Thing, back="lid", on_delete=DELETE)]
    state: OnOff


@api("POST", "/lids", access=ADMIN)
class CreateLid(Create[Lid], frozen=True, kw_only=True):
    """Make a lid."""

    name: str
    thing_uuid: Uuid


@api("PUT", "/lids/{uuid}/actions", access=ADMIN)
class ChangeLidState(Action[Lid], frozen=True, kw_only=True):
    """Switch a lid."""

    uuid: Annotated[Uuid, Ref(Lid)]
    state_event: StateEvent


@api("DELETE", "/lids/{uuid}", access=ADMIN)
class DeleteLid(Delete, frozen=True, kw_only=True):
    """Delete a lid."""

    uuid: Annotated[Uuid, Ref(Lid)]


def no_red_lids(tx: Tx, lid: Lid) -> None:
    """Forbid a name, after having changed something else."""
    tx.update(tx.require(Thing, lid.thing_uuid), description=f"under {lid.name}")
    if lid.name == "red":
        raise Conflict("no red lids")


LIDS = Plugin(
    name="lids",
    resources=(Lid,),
    handlers=(
        creates(CreateLid, Lid, also=no_red_lids, state=OnOff.ENABLED),
        switches_state(ChangeLidState),
        deletes(DeleteLid),
    ),
)
PLUGINS = (*BASE, THINGS, LIDS)


async def call(cloud: Running, message: Request[Any]) -> Any:
    return await cloud.portal.serve(message, SYSTEM)


async def test_a_row_its_tags_and_what_else_changes_are_one_commit(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=PLUGINS) as cloud:
        store = cloud.kernel.store
        thing = await call(cloud, CreateThing(name="a", size=7, labels=("x",), resource_uuid="1" * 32))
        assert (thing.uuid, thing.size, thing.labels) == ("1" * 32, 7, ("x",))
        assert thing.create_date == thing.last_op_date > 0
        before = store.feed.number
        lid = await call(cloud, CreateLid(name="blue", thing_uuid=thing.uuid, user_tags=("y",)))
        assert store.feed.number == before + 1
        assert store.require(Thing, thing.uuid).description == "under blue"
        assert (lid.state, store.count(UserTag, resource_uuid=lid.uuid)) == (OnOff.ENABLED, 1)
        with pytest.raises(Conflict, match="no red lids"):
            await call(cloud, CreateLid(name="red", thing_uuid=thing.uuid, user_tags=("z",)))
        assert (store.count(Lid), store.count(UserTag)) == (1, 1)
        assert store.require(Thing, thing.uuid).description == "under blue"


async def test_what_a_row_refers_to_must_be_there_at_the_commit(tmp_path: Path) -> None:
    """The message has no `Ref`, so that nobody looks before the store does."""
    bare = Plugin("bare", (Lid,), (creates(CreateLid, Lid, state=OnOff.ENABLED),))
    async with running(tmp_path, plugins=(*BASE, THINGS, bare)) as cloud:
        with pytest.raises(Conflict, match=f"refers by thingUuid to resource\\[uuid:{GONE}, type:ThingVO\\]"):
            await call(cloud, CreateLid(name="a", thing_uuid=GONE, user_tags=("x",)))
        assert cloud.kernel.store.count(UserTag) == 0


async def test_a_chosen_uuid_is_used_once(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=PLUGINS) as cloud:
        await call(cloud, CreateThing(name="a", resource_uuid="1" * 32))
        with pytest.raises(Conflict, match="exists already"):
            await call(cloud, CreateThing(name="b", resource_uuid="1" * 32))


async def test_what_an_update_does_not_give_stays(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=PLUGINS) as cloud:
        thing = await call(cloud, CreateThing(name="a", description="d", size=3))
        changed = await call(cloud, UpdateThing(uuid=thing.uuid, size=4))
        assert (changed.name, changed.description, changed.size) == ("a", "d", 4)
        assert await call(cloud, UpdateThing(uuid=thing.uuid)) == changed


async def test_a_state_is_switched_both_ways_and_twice(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=PLUGINS) as cloud:
        thing = await call(cloud, CreateThing(name="a"))
        lid = await call(cloud, CreateLid(name="b", thing_uuid=thing.uuid))
        for event, state in (
            (StateEvent.DISABLE, OnOff.DISABLED),
            (StateEvent.DISABLE, OnOff.DISABLED),
            (StateEvent.ENABLE, OnOff.ENABLED),
        ):
            assert (await call(cloud, ChangeLidState(uuid=lid.uuid, state_event=event))).state is state


async def test_what_depends_on_a_row_goes_with_it(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=PLUGINS) as cloud:
        store = cloud.kernel.store
        thing = await call(cloud, CreateThing(name="a", user_tags=("x",), system_tags=("colour::red",)))
        lid = await call(cloud, CreateLid(name="b", thing_uuid=thing.uuid))
        other = await call(cloud, CreateLid(name="c", thing_uuid=thing.uuid, user_tags=("y",)))
        await call(cloud, DeleteLid(uuid=lid.uuid))
        assert [row.uuid for row in store.find(Lid)] == [other.uuid]
        await call(cloud, DeleteThing(uuid=thing.uuid))
        assert (store.count(Thing), store.count(Lid)) == (0, 0)
        assert (store.count(UserTag), store.count(SystemTagRow)) == (0, 0)
        await call(cloud, DeleteThing(uuid=thing.uuid))
