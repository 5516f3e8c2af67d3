"""Rows as ZStack's clients know them: `Inventories` renders them, `Inventory` is one, `schema_of` names classes.

An inventory has the row's public fields under their wire names and nothing for null, what the resource's
``view`` computes, and the lists that other resources embed in it. Lists are read level by level with one
SELECT per edge, however many rows are rendered.
"""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from zstack_appliance.kernel.absent import MISSING
from zstack_appliance.kernel.compile import Compiler
from zstack_appliance.kernel.edges import Edge, Graph, lineage, public_fields
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.schema import TIMESTAMP, Record, describe, fields_of, root_of
from zstack_appliance.kernel.store.reader import Reader


@dataclass(frozen=True, slots=True)
class Form:
    """How rows of one class are rendered; field names are those of the wire."""

    java: str
    """ZStack's full inventory class."""
    kind: str | None
    """The field that names the sub-type."""
    private: tuple[str, ...]
    """Fields that are left out."""
    defaults: tuple[tuple[str, Any], ...]
    """Fields that msgspec leaves out when they have this value."""
    nulls: tuple[str, ...]
    """Fields that msgspec gives as None instead of leaving them out."""
    dates: tuple[str, ...]
    views: tuple[Callable[[Any], dict[str, Any]], ...]
    embeds: tuple[Edge, ...]
    lists: tuple[str, ...]
    """Names of those embedded lists that hold inventories."""


class Inventory(dict[str, Any]):
    """One rendered row: a plain dictionary for JSON that also knows what it was rendered as."""

    __slots__ = ("form",)

    def __init__(self, form: Form, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.form = form


class Inventories:
    """Renders rows.

    Args:
        compiler: makes the statements that read embedded lists.
        date: formats milliseconds UTC as the door prints dates.
    """

    def __init__(self, compiler: Compiler, date: Callable[[int], Any]) -> None:
        self._compiler = compiler
        self._date = date
        self._forms = {cls: _form(compiler.graph, cls) for cls in compiler.graph.resources}

    def render(
        self, reader: Reader, rows: Sequence[Record], principal: Principal, fields: Sequence[str] = ()
    ) -> list[Inventory]:
        """The inventories of these rows, in their order.

        Args:
            reader: what the lists are read from; a handler's one row takes tens of microseconds, so it may
                be read on the loop thread, a query's many belong into a thread.
            rows: of any classes; each is rendered as what it is.
            principal: of owned resources, the lists hold what it may see.
            fields: wire names to keep at the top; lists that they do not name are not read. Empty keeps all.
        """
        todo: deque[_Lists] = deque()
        found = self._render(rows, frozenset(fields), todo)
        while todo:
            lists = todo.popleft()
            statement = self._compiler.embedded(lists.edge, tuple(lists.held), principal)
            self._fill(lists, reader.select(statement.sql, statement.bindings), todo)
        return found

    def plain(self, row: Record) -> Inventory:
        """A row as its inventory has it, but for the lists that other resources embed."""
        form = self._forms[type(row)]
        return Inventory(form, self._values(row, form))

    def _render(self, rows: Sequence[Record], fields: frozenset[str], todo: deque[_Lists]) -> list[Inventory]:
        """The inventories of these rows; their lists are empty and go into `todo`."""
        found: list[Inventory] = []
        lists: dict[Edge, _Lists] = {}
        by_class: dict[type[Record], list[_Lists]] = {}
        for row in rows:
            form = self._forms[type(row)]
            values = self._values(row, form)
            if fields:
                values = {name: value for name, value in values.items() if name in fields}
            if type(row) not in by_class:
                edges = (edge for edge in form.embeds if not fields or edge.listed in fields)
                by_class[type(row)] = [lists.setdefault(edge, _Lists(edge)) for edge in edges]
            for each in by_class[type(row)]:
                values[each.name] = each.held.setdefault(row.uuid, [])
            found.append(Inventory(form, values))
        todo.extend(lists.values())
        return found

    def _fill(self, lists: _Lists, rows: list[tuple[Any, ...]], todo: deque[_Lists]) -> None:
        if lists.edge.plucked is not None:
            for holder, value in rows:
                lists.held[holder].append(value)
            return
        decode = self._compiler.tables.of(lists.edge.target).layout.decode
        holder_of = operator.attrgetter(lists.edge.key)
        decoded = [decode(row) for row in rows]
        for row, inventory in zip(decoded, self._render(decoded, frozenset(), todo), strict=True):
            lists.held[holder_of(row)].append(inventory)

    def _values(self, row: Record, form: Form) -> dict[str, Any]:
        values: dict[str, Any] = msgspec.to_builtins(row)
        for name in form.private:
            values.pop(name, None)
        for name, default in form.defaults:
            values.setdefault(name, msgspec.to_builtins(default))
        for name in form.nulls:
            if values[name] is None:
                del values[name]
        for name in form.dates:
            if name in values:
                values[name] = self._date(values[name])
        for view in form.views:
            values.update((name, value) for name, value in view(row).items() if value is not None)
        if form.kind is not None:
            plugin = self._compiler.tables.absent.plugin_of(row)
            if plugin is not None:
                values |= {form.kind: MISSING, "missingType": values[form.kind], "missingPlugin": plugin}
        return values


class _Lists:
    """One edge's lists, to be filled: the list of each row that holds one, by its uuid."""

    __slots__ = ("edge", "held", "name")

    def __init__(self, edge: Edge) -> None:
        assert edge.listed is not None
        self.edge = edge
        self.name = edge.listed
        self.held: dict[str, list[Any]] = {}


def schema_of(name: str, value: Inventory | Sequence[Inventory]) -> dict[str, str]:
    """ZStack's ``schema`` map: the Java class of each inventory inside a reply, by its place.

    Args:
        name: the reply's key, such as ``inventories``.
        value: what stands under it.
    """
    found: dict[str, str] = {}
    _name_classes(name, value, found)
    return found


def _name_classes(place: str, value: Inventory | Sequence[Inventory], found: dict[str, str]) -> None:
    if not isinstance(value, Inventory):
        for index, inventory in enumerate(value):
            _name_classes(f"{place}[{index}]", inventory, found)
        return
    found[place] = value.form.java
    for name in value.form.lists:
        if name in value:
            _name_classes(f"{place}.{name}", value[name], found)


def _form(graph: Graph, cls: type[Record]) -> Form:
    public = public_fields(cls)
    defaults = _defaults(cls)
    embeds = graph.embeds(cls)
    views = (describe(step).options.view for step in lineage(cls))
    kind = root_of(cls).options.discriminator
    return Form(
        java=describe(cls).inventory,
        kind=None if kind is None else describe(cls).field(kind).wire,
        private=tuple(field.wire for field in fields_of(cls) if field not in public),
        defaults=tuple((field.wire, defaults[field.name]) for field in public if field.name in defaults),
        nulls=tuple(field.wire for field in public if field.nullable and (field.required or field.name in defaults)),
        dates=tuple(field.wire for field in public if field.marked(TIMESTAMP)),
        views=tuple(view for view in views if view is not None),
        embeds=embeds,
        lists=tuple(edge.listed for edge in embeds if edge.listed is not None and edge.plucked is None),
    )


def _defaults(cls: type[Record]) -> dict[str, Any]:
    """Python name and value of every default but None, which is absent on the wire anyway."""
    found: dict[str, Any] = {}
    for spec in msgspec.structs.fields(cls):
        if spec.default_factory is not msgspec.NODEFAULT:
            found[spec.name] = spec.default_factory()
        elif spec.default is not msgspec.NODEFAULT and spec.default is not None:
            found[spec.name] = spec.default
    return found
