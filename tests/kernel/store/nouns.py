"""Resources for the store's tests: one of each kind of column, of reference and of sub-type.

Primitives: `Shelf`, `Box` with its sub-types `Crate` and `Tin`, `Label` (owned through its box), `Note`, `Errand`
and `Pulse` (kept out of feed, replication or both), and the functions that make one of each.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from zstack_appliance.kernel.schema import SECRET, SEQUENCE, OnOff, Record, Ref, Resource, Uuid, resource
from zstack_appliance.kernel.store import Log, Store

WIRE = "org.example"
NOW = 1_700_000_000_000
ALICE, BOB = "a" * 32, "b" * 32


class Mood(enum.Enum):
    """An enum with a value that needs quoting."""

    GOOD = "Good"
    BAD = "It's bad"


class Part(msgspec.Struct, frozen=True):
    """Stored as JSON inside a row."""

    size: int
    label: str | None = None


@resource(wire=WIRE, unique=(("name",),))
class Shelf(Resource, frozen=True, kw_only=True):
    """Something to refer to."""


@resource(wire=WIRE, discriminator="kind", indexes=(("mood", "kind"),), owned=True)
class Box(Resource, frozen=True, kw_only=True):
    """A base with sub-types, and one column of every kind."""

    shelf_uuid: Annotated[Uuid, Ref(Shelf, back="box")]
    kind: str
    state: OnOff
    mood: Mood
    colour: Literal["red", "blue"]
    heavy: bool
    weight: float
    parts: list[Part]
    number: Annotated[int, SEQUENCE]
    password: Annotated[str | None, SECRET] = None
    order: int | None = None


@resource(wire=WIRE, kind="Crate")
class Crate(Box, frozen=True, kw_only=True):
    """A sub-type with columns."""

    planks: int
    key_code: Annotated[str, SECRET]


@resource(wire=WIRE, kind="Tin")
class Tin(Box, frozen=True, kw_only=True):
    """A sub-type without any."""


@resource(wire=WIRE)
class Label(Record, frozen=True, kw_only=True):
    """Belongs to whoever owns its box."""

    box_uuid: Annotated[Uuid, Ref(Box, back="label", owner=True)]
    text: str


@resource(wire=WIRE, local=True, silent=True, journal=True, indexes=(("done",),))
class Note(Record, frozen=True, kw_only=True):
    """A journal of one node."""

    done: bool


@resource(wire=WIRE, local=True, journal=True, owned=True)
class Errand(Record, frozen=True, kw_only=True):
    """A journal of one node that the feed tells of."""

    done: bool


@resource(wire=WIRE, silent=True)
class Pulse(Record, frozen=True, kw_only=True):
    """What all nodes have and nobody is told of."""

    beats: int


NOUNS: tuple[type[Record], ...] = (Shelf, Box, Crate, Tin, Label, Note, Errand, Pulse)


class Mask:
    """A sealer that shows whether it was used."""

    def seal(self, plain: bytes) -> str:
        """The text backwards, marked."""
        return f"sealed {plain.decode()[::-1]}"

    def unseal(self, sealed: str) -> bytes:
        """What was sealed."""
        return sealed.removeprefix("sealed ")[::-1].encode()


class Calendar:
    """A clock that moves one millisecond each time it is read."""

    def __init__(self) -> None:
        self.now = NOW

    def millis(self) -> int:
        """One more than before."""
        self.now += 1
        return self.now


@asynccontextmanager
async def opened(
    folder: Path,
    *,
    log: Log | None = None,
    threads: bool = False,
    nouns: tuple[type[Record], ...] = NOUNS,
) -> AsyncIterator[Store]:
    """A store in `folder`, which exists, without waiting for the disk."""
    async with Store.open(
        folder / "cloud.db", nouns, Calendar(), sealer=Mask(), log=log, threads=threads, synchronous="OFF"
    ) as store:
        yield store


def key(name: str) -> str:
    """A uuid that a test can name."""
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


def shelf(name: str = "shelf") -> Shelf:
    """A shelf."""
    return Shelf(uuid=key(name), create_date=0, last_op_date=0, name=name)


def tin(name: str = "tin", on: str = "shelf", **changes: Any) -> Tin:
    """A tin on a shelf."""
    return Tin(**_box(name, on) | {"kind": "Tin"} | changes)


def crate(name: str = "crate", on: str = "shelf", **changes: Any) -> Crate:
    """A crate on a shelf."""
    return Crate(**_box(name, on) | {"kind": "Crate", "planks": 7, "key_code": "4711"} | changes)


def _box(name: str, on: str) -> dict[str, Any]:
    return {
        "uuid": key(name),
        "create_date": 0,
        "last_op_date": 0,
        "name": name,
        "shelf_uuid": key(on),
        "state": OnOff.ENABLED,
        "mood": Mood.BAD,
        "colour": "red",
        "heavy": True,
        "weight": 1.5,
        "parts": [Part(1, "x"), Part(2)],
        "number": 0,
    }


def label(name: str, box: str, text: str = "hello") -> Label:
    """A label on a box."""
    return Label(uuid=key(name), create_date=0, last_op_date=0, box_uuid=key(box), text=text)


def note(name: str, *, done: bool = False) -> Note:
    """A note."""
    return Note(uuid=key(name), create_date=0, last_op_date=0, done=done)


def errand(name: str, *, done: bool = False) -> Errand:
    """An errand."""
    return Errand(uuid=key(name), create_date=0, last_op_date=0, done=done)


def pulse(name: str, beats: int = 60) -> Pulse:
    """A pulse."""
    return Pulse(uuid=key(name), create_date=0, last_op_date=0, beats=beats)
