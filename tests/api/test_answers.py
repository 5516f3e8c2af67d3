"""Replies as bodies; rows inside them are rendered by the kernel and tested there."""

from __future__ import annotations

from pathlib import Path

from tests.api.things import THINGS, CreateThing, DeleteThing, Measured, MeasureThing, Thing
from tests.running import BASE, running
from zstack_appliance.api.answers import with_schema
from zstack_appliance.kernel.principal import SYSTEM

UUID = "1" * 32
THING = Thing(uuid=UUID, create_date=0, last_op_date=0, name="a", size=1, shiny=False, labels=())
INVENTORY = {
    "uuid": UUID,
    "name": "a",
    "size": 1,
    "shiny": False,
    "labels": (),
    "createDate": "Jan 1, 1970 12:00:00 AM",
    "lastOpDate": "Jan 1, 1970 12:00:00 AM",
}


async def test_where_a_reply_stands(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=(*BASE, THINGS)) as cloud:
        answers = cloud.answers
        create, measure = CreateThing(name="a"), MeasureThing(uuid=UUID)
        assert await answers(create, THING, SYSTEM) == {"inventory": INVENTORY}
        assert await answers(create, (THING, THING), SYSTEM) == {"inventory": [INVENTORY, INVENTORY]}
        assert await answers(create, {"a": (1, "b")}, SYSTEM) == {"inventory": {"a": [1, "b"]}}
        assert await answers(DeleteThing(uuid=UUID), None, SYSTEM) == {}
        reply = Measured(thing_size=3, measured_at=3_600_000, things=(THING,))
        body = await answers(measure, reply, SYSTEM)
        assert body == {"thingSize": 3, "measuredAt": "Jan 1, 1970 1:00:00 AM", "things": [INVENTORY]}


async def test_classes_are_named_by_place(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=(*BASE, THINGS)) as cloud:
        one = with_schema(await cloud.answers(CreateThing(name="a"), THING, SYSTEM))
        assert one["schema"] == {"inventory": "org.zstack.test.ThingInventory"}
        assert with_schema({"valid": True, "none": []}) == {"valid": True, "none": [], "schema": {}}
