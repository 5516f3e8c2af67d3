"""The graph that queries walk and inventories embed along, read from the declarations and from nothing else.

Primitives: `Edge` (one step from a resource to another) and `Graph` (every edge of every registered
resource). A `Ref` on a field gives its resource a forward edge, to one row; its ``back`` gives the target a
reverse edge, to any number of rows. A sub-type has its base's edges and its own.

An alias is a short name for a chain. A resource declares its own (``{"l2Network": "l2NetworkRef.l2Network"}``)
or, so that a folder can add to a resource that it does not own, another's: the key is then that resource's
`query_name`, a dot and the alias (``{"VmNic.securityGroup": "securityGroupRef.securityGroup"}``).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from zstack_appliance.kernel.schema import HIDDEN, SECRET, Embed, Field, Record, Ref, describe, fields_of


@dataclass(frozen=True, slots=True)
class Edge:
    """One step: the rows of `target` whose `key` equals `column` of the row that one stands on.

    Args:
        name: on the wire, such as ``l3Network`` or ``vmNics``.
        source: the resource that it leaves from; its sub-types have it too.
        target: the resource that it arrives at.
        column: Python name of the field on the source's side.
        key: Python name of the field on the target's side.
        many: whether it can arrive at more than one row, as reverse edges do.
        hidden: completion does not offer it; queries may use it.
        embed: whether and how the source's inventory lists the target's rows.
    """

    name: str
    source: type[Record]
    target: type[Record]
    column: str
    key: str
    many: bool
    hidden: bool = False
    embed: Embed | None = None

    @property
    def listed(self) -> str | None:
        """The name of the list in the source's inventory, which queries may use as the edge's; None without."""
        return None if self.embed is None else self.embed.name or self.name

    @property
    def plucked(self) -> str | None:
        """Python name of the one field of the target that the list holds; None if it holds whole rows."""
        return None if self.embed is None else self.embed.pluck


@dataclass
class _Node:
    """What the graph knows of one resource."""

    edges: dict[str, Edge]
    aliases: dict[str, tuple[str, ...]]
    subtypes: tuple[type[Record], ...]


class Graph:
    """Every edge of the registered resources. Wrong declarations are refused here, at start.

    Args:
        resources: every registered resource, sub-types included, in any order.

    Raises:
        TypeError: a declaration is wrong: two edges of one name, an edge named as a field is, a `Ref` to a
            resource that nobody registers, an alias that leads nowhere, inventories that embed each other.
    """

    def __init__(self, resources: Iterable[type[Record]]) -> None:
        # Bases come first, so that what a sub-type inherits is there when its turn comes.
        ordered = sorted(dict.fromkeys(resources), key=lambda cls: (len(lineage(cls)), cls.__name__))
        self.resources = tuple(ordered)
        self._names: dict[str, type[Record]] = {}
        for cls in ordered:
            twin = self._names.setdefault(query_name(cls).lower(), cls)
            if twin is not cls:
                raise TypeError(f"{twin.__name__} and {cls.__name__} are both called {query_name(cls)} in queries")
        self._nodes = {cls: _Node({}, {}, _below(cls, ordered)) for cls in ordered}
        for cls in ordered:
            self._declare(cls)
        for cls in ordered:
            self._inherit(cls)
        for cls in ordered:
            self._check(cls)

    def named(self, name: str) -> type[Record] | None:
        """The resource that queries call so, in any case: ``vmInstance`` finds `VmInstance`."""
        return self._names.get(name.lower())

    def edges(self, cls: type[Record]) -> Mapping[str, Edge]:
        """The edges that leave a resource, hidden ones and those of its bases included.

        An edge whose list has a name of its own stands under both names.
        """
        return self._nodes[cls].edges

    def aliases(self, cls: type[Record]) -> Mapping[str, tuple[str, ...]]:
        """Short name to the elements of its chain; those of the resource's bases are included."""
        return self._nodes[cls].aliases

    def subtypes(self, cls: type[Record]) -> tuple[type[Record], ...]:
        """The resources below this one, nearest first."""
        return self._nodes[cls].subtypes

    def embeds(self, cls: type[Record]) -> tuple[Edge, ...]:
        """The edges whose rows stand in this resource's inventory."""
        return tuple(edge for name, edge in self.edges(cls).items() if edge.listed == name)

    def of_kind(self, cls: type[Record], kind: str) -> type[Record] | None:
        """The sub-type that a value of the base's discriminator stands for; None when it has no table."""
        return next((sub for sub in self.subtypes(cls) if describe(sub).options.kind == kind), None)

    # --- reading the declarations ----------------------------------------------------------------------

    def _declare(self, cls: type[Record]) -> None:
        for field in describe(cls).own_fields:
            if field.ref is not None:
                self._declare_ref(cls, field, field.ref)
        for name, chain in describe(cls).options.aliases.items():
            target, _, alias = name.rpartition(".")
            owner = self.named(target) if target else cls
            if owner is None:
                raise TypeError(f"{cls.__name__} declares the alias {name}, but nobody registers {target}")
            if alias in self._nodes[owner].aliases:
                raise TypeError(f"{owner.__name__} gets two aliases named {alias}; the second is {cls.__name__}'s")
            self._nodes[owner].aliases[alias] = tuple(chain.split("."))

    def _declare_ref(self, cls: type[Record], field: Field, ref: Ref) -> None:
        place = f"{cls.__name__}.{field.name}"
        if field.is_json:
            raise TypeError(f"{place} holds a list; an edge needs a field with one uuid, or a table of pairs")
        if ref.target not in self._nodes:
            raise TypeError(f"{place} refers to {ref.target.__name__}, which nobody registers")
        name, hidden = _forward_name(place, field, ref), field.marked(HIDDEN)
        self._add(Edge(name, cls, ref.target, field.name, "uuid", many=False, hidden=hidden))
        if ref.back is not None:
            self._add(
                Edge(ref.back, ref.target, cls, "uuid", field.name, many=True, hidden=ref.hidden, embed=ref.embed)
            )
        elif ref.embed is not None:
            raise TypeError(f"{place} is embedded in {ref.target.__name__} under no name; give its Ref a back")

    def _add(self, edge: Edge) -> None:
        edges = self._nodes[edge.source].edges
        for name in dict.fromkeys((edge.name, edge.listed or edge.name)):
            if name in edges:
                raise TypeError(
                    f"{edge.source.__name__} gets two edges named {name}: to {edges[name].target.__name__}"
                    f" and to {edge.target.__name__}; name one of them with Ref(edge=...) or Ref(back=...)"
                )
            edges[name] = edge

    def _inherit(self, cls: type[Record]) -> None:
        base = describe(cls).base
        if base is None:
            return
        if base not in self._nodes:
            raise TypeError(f"{cls.__name__} is a sub-type of {base.__name__}, which nobody registers")
        node, inherited = self._nodes[cls], self._nodes[base]
        node.edges = {**inherited.edges, **node.edges}
        node.aliases = {**inherited.aliases, **node.aliases}

    # --- refusing what cannot work ---------------------------------------------------------------------

    def _check(self, cls: type[Record]) -> None:
        wires = {field.wire for field in fields_of(cls)}
        for name, edge in self.edges(cls).items():
            if name in wires:
                raise TypeError(f"{cls.__name__} has a field and an edge named {name}; rename the edge")
            if edge.embed is not None:
                _check_embed(edge)
        for alias in self.aliases(cls):
            if alias in wires or alias in self.edges(cls):
                raise TypeError(f"{cls.__name__} has an alias {alias} beside a field or edge of that name")
            self.expand(cls, (alias,))
        self._check_cycle(cls, ())

    def expand(self, cls: type[Record], elements: tuple[str, ...]) -> tuple[Edge, ...]:
        """The edges that a chain of edge names and aliases stands for.

        Raises:
            TypeError: an element is neither, or an alias stands for itself.
        """
        found: list[Edge] = []
        at, rest, expanded = cls, list(elements), 0
        while rest:
            name = rest.pop(0)
            if name in self.edges(at):
                found.append(self.edges(at)[name])
                at = found[-1].target
            elif name in self.aliases(at) and expanded < _MAX_ALIASES:
                rest[:0] = self.aliases(at)[name]
                expanded += 1
            else:
                raise TypeError(f"{'.'.join(elements)} of {cls.__name__} breaks at {name}: no edge of {at.__name__}")
        return tuple(found)

    def _check_cycle(self, cls: type[Record], above: tuple[type[Record], ...]) -> None:
        if cls in above:
            names = " in ".join(step.__name__ for step in (*above, cls))
            raise TypeError(f"inventories embed each other without end: {names}")
        for edge in self.embeds(cls):
            if edge.plucked is None:
                for concrete in (edge.target, *self.subtypes(edge.target)):
                    self._check_cycle(concrete, (*above, cls))


_MAX_ALIASES = 16
"""Aliases that one chain may go through; only one that stands for itself ever needs more."""


def lineage(cls: type[Record]) -> tuple[type[Record], ...]:
    """The resource's bases from the root down, then the resource itself; their tables share the key."""
    base = describe(cls).base
    return (cls,) if base is None else (*lineage(base), cls)


def query_name(cls: type[Record]) -> str:
    """What queries call a resource: its inventory's simple name without ``Inventory``, such as ``SystemTag``."""
    return describe(cls).inventory.rpartition(".")[2].removesuffix("Inventory")


@functools.cache
def public_fields(cls: type[Record]) -> tuple[Field, ...]:
    """The fields that inventories show and queries may name: all but secret and hidden ones."""
    return tuple(field for field in fields_of(cls) if not field.marked(SECRET) and not field.marked(HIDDEN))


def _below(cls: type[Record], ordered: list[type[Record]]) -> tuple[type[Record], ...]:
    return tuple(sub for sub in ordered if sub is not cls and cls in lineage(sub))


def _forward_name(place: str, field: Field, ref: Ref) -> str:
    name = ref.edge or field.wire.removesuffix("Uuid")
    if name == field.wire:
        raise TypeError(f"{place} does not end in Uuid, so its edge has no name; give its Ref an edge")
    return name


def _check_embed(edge: Edge) -> None:
    assert edge.embed is not None
    public = {field.name: field for field in public_fields(edge.target)}
    for name in filter(None, (edge.embed.pluck, edge.embed.order)):
        if name not in public:
            raise TypeError(
                f"{edge.source.__name__} embeds {edge.name} by {name}: no public field of {edge.target.__name__}"
            )
    if edge.plucked is not None and public[edge.plucked].type not in (str, int):
        raise TypeError(f"{edge.source.__name__} embeds {edge.name} as {edge.plucked}: no plain text or number")
