"""A value for everything that is declared: rows of any resource, arguments of any API, and wrong ones.

Primitives: `Rows` (makes rows, with all that they refer to), `arguments` (what an API accepts) and `wrongs`
(what it must refuse).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import msgspec

from zstack_appliance.kernel.derive.route import CallRoute
from zstack_appliance.kernel.edges import Graph
from zstack_appliance.kernel.schema import SEQUENCE, Field, Record, describe, fields_of, owner_ref
from zstack_appliance.kernel.store import Store

CANDIDATES = ("x1", "1" * 32, "10.9.8.7", "10.9.8.0/24", "7", "/x", "aa:bb:cc:dd:ee:ff")
"""Texts of which one fits every pattern that is declared so far; add one when a new pattern needs it."""

UNKNOWN = "f" * 32
"""A well-formed uuid of nothing."""


class Rows:
    """Makes rows that belong to one account, straight in the store.

    Args:
        store: where they go.
        graph: knows the sub-types.
        owner: the account.
    """

    def __init__(self, store: Store, graph: Graph, owner: str) -> None:
        self._store = store
        self._graph = graph
        self.owner = owner
        self._made: dict[type[Record], str] = {}
        self._numbers = itertools.count()

    async def of(self, cls: type[Record]) -> str:
        """The uuid of a row of this class, the same one each time."""
        if cls not in self._made:
            self._made[cls] = await self._make(cls)
        return self._made[cls]

    async def _make(self, cls: type[Record]) -> str:
        concrete = next((sub for sub in self._graph.subtypes(cls)), cls)
        kind = _discriminator(concrete)
        values: dict[str, Any] = {}
        for field in fields_of(concrete):
            if field.ref is not None and not field.nullable:
                values[field.name] = await self.of(field.ref.target)
            elif field.marked(SEQUENCE):
                values[field.name] = 0  # The store draws it.
            elif field.name == kind:
                values[field.name] = describe(concrete).options.kind
            elif field.required:
                values[field.name] = self._value(field)
        row = concrete(**values)
        # A row whose owner follows a reference belongs to whom that belongs; the others to the account.
        owner = None if owner_ref(concrete) is not None else self.owner
        await self._store.write(lambda tx: tx.insert(row, owner=owner))
        return row.uuid

    def _value(self, field: Field) -> Any:
        if field.name == "uuid":
            return f"{next(self._numbers):016x}{self.owner[:16]}"
        if field.type is str:
            return f"x{next(self._numbers)}{self.owner}"
        return value_of(field)


def value_of(field: Field) -> Any:
    """A good value of a field that is no reference."""
    if field.enum is not None:
        return next(iter(field.enum))
    origin = get_origin(field.type) or field.type
    if origin is Literal:
        return get_args(field.type)[0]
    if field.type is str:
        return _text(field)
    if field.type in (int, float):
        bounds = [meta.ge for meta in field.meta if meta.ge is not None]
        return field.type(bounds[0] if bounds else 1)
    if isinstance(origin, type) and issubclass(origin, msgspec.Struct):
        return origin(**{inner.name: value_of(inner) for inner in fields_of(origin) if inner.required})
    if origin is dict:
        inner = get_args(field.type)[1]
        # An empty map cannot be told from none in a query string.
        return {"x1": "x1" if inner is str else ["x1"]}
    if origin in (list, tuple) and any(meta.min_length for meta in field.meta):
        item = get_args(field.type)[0]
        if isinstance(item, type) and issubclass(item, msgspec.Struct):
            return origin([item(**{inner.name: value_of(inner) for inner in fields_of(item) if inner.required})])
        return origin([next(text for text in CANDIDATES if _fits(text, item))])
    empty: Any = {bool: False, list: [], tuple: ()}.get(origin)
    assert empty is not None, f"{field.name}: no sample for {field.type}; teach value_of"
    return empty


def _fits(text: str, declared: Any) -> bool:
    try:
        msgspec.convert(text, declared, strict=False)
    except msgspec.ValidationError:
        return False
    return True


def _text(field: Field) -> str:
    for text in CANDIDATES:
        if all(meta.pattern is None or re.search(meta.pattern, text) for meta in field.meta):
            return text
    raise AssertionError(f"{field.name}: no candidate fits; add one to CANDIDATES")


def _discriminator(cls: type[Record]) -> str | None:
    described = describe(cls)
    if described.base is None:
        return None
    return describe(described.base).options.discriminator or _discriminator(described.base)


async def arguments(route: CallRoute, rows: Rows) -> dict[str, Any]:
    """Arguments that decode, with references to rows that exist; what the API does not need is left out."""
    given: dict[str, Any] = {}
    for field in fields_of(route.message):
        if not field.required and field.wire not in route.fields:
            continue
        if field.ref is None:
            given[field.wire] = msgspec.to_builtins(value_of(field))
        else:
            uuid = await rows.of(field.ref.target)
            given[field.wire] = uuid if field.type is str else [uuid]
    return given


def wrongs(route: CallRoute, field: Field) -> Iterator[Any]:
    """Values of a field that must be refused; of those that are sent in a URL, only texts."""
    in_url = route.method in ("GET", "DELETE") or field.wire in route.fields
    texts, others = _wrong_texts(field), _wrong_others(field)
    yield from texts
    if not in_url:
        yield from others
        if field.required and not field.nullable:
            yield None


def _wrong_texts(field: Field) -> Iterator[Any]:
    if field.ref is not None:
        many = field.type is not str
        yield from ([["x"], [UNKNOWN]] if many else ["x", UNKNOWN])
    elif field.type in (int, float, bool) or field.enum is not None or get_origin(field.type) is Literal:
        yield "no such thing"
    for meta in field.meta:
        if meta.max_length is not None:
            yield "x" * (meta.max_length + 1)
        if meta.pattern is not None:
            yield "/\\!"
        if meta.ge is not None:
            yield str(int(meta.ge) - 1)
        if meta.le is not None:
            yield str(int(meta.le) + 1)


def _wrong_others(field: Field) -> Iterator[Any]:
    origin = get_origin(field.type) or field.type
    if field.type is int:
        yield from (2**63, 1.5, [1], True)
    elif origin is dict:
        yield [1]
    else:
        # Nothing but a map reads as one.
        yield {"a": 1}
