"""What people see and are asked for, from declarations alone."""

from __future__ import annotations

import enum
from typing import Annotated, Literal

import msgspec
import pytest

from tests.api.things import CreateThing, DeleteThing, MeasureThing, Thing, UpdateThing, WaitForThing
from zstack_appliance.kernel.derive.form import Kind, acted_field, acts, inputs, keys_of, kind_of, shown
from zstack_appliance.kernel.edges import Graph
from zstack_appliance.kernel.message import ADMIN, Action, Create, api
from zstack_appliance.kernel.schema import (
    SECRET,
    ByteSize,
    Embed,
    Name,
    Record,
    Ref,
    Resource,
    Text,
    Timestamp,
    Uuid,
    fields_of,
    resource,
)
from zstack_appliance.kernel.unserved import UNSERVED


class Colour(enum.Enum):
    """Two of them."""

    RED = "red"
    BLUE = "blue"


class Everything(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One field of each kind."""

    name: Name
    title: str
    note: Text
    count: int
    memory_size: int
    disk: ByteSize
    available_cpu_capacity: int
    shiny: bool
    colour: Colour
    mode: Literal["a", "b"]
    born: Timestamp
    uuid: Uuid
    thing_uuid: Annotated[Uuid, Ref(Thing)]
    thing_uuids: Annotated[tuple[str, ...], Ref(Thing)]
    words: tuple[str, ...]
    map: dict[str, str]
    password: Annotated[str, SECRET]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("name", Kind.NAME),
        ("title", Kind.TEXT),
        ("note", Kind.LONG),
        ("count", Kind.NUMBER),
        ("memory_size", Kind.BYTES),
        ("disk", Kind.BYTES),
        ("available_cpu_capacity", Kind.NUMBER),
        ("shiny", Kind.FLAG),
        ("colour", Kind.STATE),
        ("mode", Kind.STATE),
        ("born", Kind.TIME),
        ("uuid", Kind.UUID),
        ("thing_uuid", Kind.REFERENCE),
        ("thing_uuids", Kind.REFERENCES),
        ("words", Kind.VALUES),
        ("map", Kind.STRUCTURE),
        ("password", Kind.UNSEEN),
    ],
)
def test_every_type_has_its_kind(name: str, kind: Kind) -> None:
    (field,) = [each for each in fields_of(Everything) if each.name == name]
    assert kind_of(field) is kind


@resource(wire="org.zstack.test", path="/shelves")
class Shelf(Resource, frozen=True, kw_only=True):
    """Something with a list in its inventory."""

    colour: Colour


@resource(wire="org.zstack.test")
class Board(Record, frozen=True, kw_only=True):
    """A part of a shelf."""

    shelf_uuid: Annotated[Uuid, Ref(Shelf, back="boards", embed=Embed())]


@resource(wire="org.zstack.test")
class Stand(Record, frozen=True, kw_only=True):
    """Where a shelf stands."""

    shelf_uuid: Annotated[Uuid, Ref(Shelf, back="stand", embed=Embed(name="standUuids", pluck="thing_uuid"))]
    thing_uuid: Annotated[Uuid, Ref(Thing)]


def test_an_inventory_shows_its_name_first_and_its_lists_too() -> None:
    found = shown(Graph([Shelf, Board, Stand, Thing]), Shelf)
    assert [each.wire for each in found][:2] == ["name", "colour"]
    by_wire = {each.wire: each for each in found}
    assert by_wire["colour"].choices == ("red", "blue")
    assert (by_wire["boards"].kind, by_wire["boards"].target) == (Kind.ROWS, Board)
    assert (by_wire["standUuids"].kind, by_wire["standUuids"].target) == (Kind.REFERENCES, Thing)


@api("POST", "/shelves", access=ADMIN)
class CreateShelf(Create[Shelf], frozen=True, kw_only=True):
    """Put one up."""

    colour: Colour = Colour.BLUE
    name: Name
    width: Annotated[int, msgspec.Meta(ge=1, le=9, description="in boards")] = 3
    bent: Annotated[bool, UNSERVED] = False


def test_a_form_asks_for_what_is_needed_first_and_never_for_what_is_not_served() -> None:
    asked = inputs(CreateShelf)
    assert [each.wire for each in asked] == ["name", "colour", "width", "systemTags", "userTags"]
    name, colour, width, *_ = asked
    assert (name.required, name.longest) == (True, 255)
    assert (colour.required, colour.default, colour.choices) == (False, "blue", ("red", "blue"))
    assert (width.low, width.high, width.default, width.help) == (1, 9, 3, "in boards")


def test_what_is_known_already_is_not_asked_for() -> None:
    assert "uuid" not in [each.wire for each in inputs(UpdateThing, fixed=("uuid",))]


def test_the_apis_of_a_resource_are_told_apart_by_what_they_do() -> None:
    found = acts([CreateThing, UpdateThing, DeleteThing, WaitForThing, MeasureThing, CreateShelf], Thing)
    assert found.makers == (CreateThing,)
    assert found.changers == (UpdateThing, WaitForThing)
    assert found.deleter is DeleteThing
    assert found.every == (CreateThing, UpdateThing, WaitForThing, DeleteThing)


def test_the_row_that_is_acted_on_is_in_the_field_that_refers_to_it() -> None:
    field = acted_field(UpdateThing, Thing)
    assert field is not None
    assert field.wire == "uuid"
    assert acted_field(CreateShelf, Thing) is None


@api("PUT", "/shelves/{name}/{colour}/actions", access=ADMIN)
class PaintShelf(Action[Shelf], frozen=True, kw_only=True):
    """Paint the shelf of this name and colour."""

    name: str
    colour: str


def test_a_row_can_be_named_by_its_own_fields() -> None:
    assert keys_of(PaintShelf, Shelf) == ("name", "colour")
    assert acts([PaintShelf], Shelf).keyed == (PaintShelf,)
    assert keys_of(UpdateThing, Thing) == ()
