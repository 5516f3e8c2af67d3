"""A resource with one API of each kind, for tests of the doors: `THINGS`, the plugin."""

from __future__ import annotations

from typing import Annotated

import msgspec
import trio

from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Conflict, NotFound
from zstack_appliance.kernel.message import ADMIN, ANY, OWNER, Action, Create, Delete, Read, Request, Update, api
from zstack_appliance.kernel.plugin import Plugin, handles
from zstack_appliance.kernel.schema import NAME_PATTERN, Name, Ref, Resource, Text, Timestamp, Uuid, resource
from zstack_appliance.kernel.standard import creates, deletes, updates
from zstack_appliance.kernel.tag import SystemTag

WIRE = "org.zstack.test"


@resource(wire=WIRE, path="/things", owned=True, shareable=True)
class Thing(Resource, frozen=True, kw_only=True):
    """Something that an account owns."""

    size: int
    shiny: bool
    labels: tuple[str, ...]


@api("POST", "/things", access=OWNER)
class CreateThing(Create[Thing], frozen=True, kw_only=True):
    """Make a thing."""

    name: Annotated[Name, msgspec.Meta(pattern=NAME_PATTERN)]
    description: Text | None = None
    size: Annotated[int, msgspec.Meta(ge=0, le=100)] = 1
    shiny: bool = False
    labels: tuple[str, ...] = ()


@api("PUT", "/things/{uuid}/actions", access=OWNER)
class UpdateThing(Update[Thing], frozen=True, kw_only=True):
    """Change a thing."""

    uuid: Annotated[Uuid, Ref(Thing)]
    name: Name | None = None
    size: int | None = None


@api("DELETE", "/things/{uuid}", access=OWNER)
class DeleteThing(Delete, frozen=True, kw_only=True):
    """Delete a thing."""

    uuid: Annotated[Uuid, Ref(Thing)]


@api("PUT", "/things/{uuid}/actions", access=OWNER)
class WaitForThing(Action[Thing], frozen=True, kw_only=True):
    """Take some seconds."""

    uuid: Annotated[Uuid, Ref(Thing)]
    seconds: float


@handles(WaitForThing)
async def wait(m: WaitForThing, cloud: Cloud) -> Thing:
    """Sleep."""
    await trio.sleep(m.seconds)
    return await cloud.get(Thing, m.uuid)


@api("PUT", "/things/{uuid}/actions", access=OWNER)
class RefuseThing(Action[Thing], frozen=True, kw_only=True):
    """Fail as an operation does."""

    uuid: Annotated[Uuid, Ref(Thing)]


@handles(RefuseThing)
async def refuse(m: RefuseThing, _: Cloud) -> Thing:
    """Raise one error from another."""
    raise Conflict(f"thing {m.uuid} cannot be opened", code="VM.1010") from NotFound("its lid is missing")


@api("PUT", "/things/{uuid}/actions", access=OWNER)
class BreakThing(Action[Thing], frozen=True, kw_only=True):
    """Fail as a defect does."""

    uuid: Annotated[Uuid, Ref(Thing)]


@handles(BreakThing)
async def break_it(_: BreakThing, _cloud: Cloud) -> Thing:
    """Raise what nobody expects."""
    raise ValueError("secret detail")


@api("GET", "/things/broken", access=ANY, sync=True, wire=WIRE)
class GetBroken(Read[None], frozen=True, kw_only=True):
    """Fail at once, as a defect does."""


@handles(GetBroken)
async def get_broken(_: GetBroken, _cloud: Cloud) -> None:
    """Raise what nobody expects."""
    raise ValueError("secret detail")


class Measured(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What measuring a thing answers."""

    thing_size: int
    measured_at: Timestamp
    remark: str | None = None
    things: tuple[Thing, ...] = ()


@api("GET", "/things/{uuid}/size", access=ANY, sync=True, reply=None, wire=WIRE)
class MeasureThing(Read[Measured], frozen=True, kw_only=True):
    """Measure a thing, at once."""

    uuid: Annotated[Uuid, Ref(Thing)]
    unit: str | None = None
    times: int = 1
    tools: tuple[str, ...] = ()
    options: dict[str, str] | None = None
    shelves: dict[str, list[str]] | None = None


@handles(MeasureThing)
async def measure(m: MeasureThing, cloud: Cloud) -> Measured:
    """Multiply."""
    thing = await cloud.get(Thing, m.uuid)
    remark = f"{m.unit} {'+'.join(m.tools)} {m.options}" if m.unit is not None else None
    size = thing.size * m.times
    return Measured(thing_size=size, measured_at=thing.create_date, remark=remark, things=(thing,))


@api("POST", "/things/{thingUuid}/shelves/{shelf}", access=ADMIN)
class ShelveThing(Request[Thing], frozen=True, kw_only=True):
    """The only API at its path."""

    thing_uuid: Annotated[Uuid, Ref(Thing)]
    shelf: str


@handles(ShelveThing)
async def shelve(m: ShelveThing, cloud: Cloud) -> Thing:
    """Write the shelf down."""
    return await cloud.write(lambda tx: tx.update(tx.require(Thing, m.thing_uuid), description=m.shelf))


THINGS = Plugin(
    name="things",
    resources=(Thing,),
    handlers=(
        creates(CreateThing, Thing),
        updates(UpdateThing),
        deletes(DeleteThing),
        wait,
        refuse,
        break_it,
        get_broken,
        measure,
        shelve,
    ),
    tags=(SystemTag("ThingVO", "colour::{colour}", "The colour that a thing is painted in."),),
)
