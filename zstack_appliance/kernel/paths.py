"""What the path of a condition means: `resolve` turns ``vmNics.l3Network.name`` into edges and a field.

Every resource has the pseudo fields of `TAG_FIELDS` besides its own. A last element that is an edge whose
rows stand in the inventory as single values (``attachedClusterUuids``) means that value.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from zstack_appliance.kernel.conditions import And, Cond, Op, Term
from zstack_appliance.kernel.edges import Edge, Graph, public_fields, query_name
from zstack_appliance.kernel.schema import Field, Record, describe
from zstack_appliance.kernel.tag import SystemTagRow, UserTag

MAX_HOPS = 16
"""Edges in one path. Every hop nests one SELECT deeper; ZStack's own longest chains have five."""

TAG_FIELDS: Mapping[str, tuple[type[Record], str]] = {
    "__userTag__": (UserTag, "tag"),
    "__systemTag__": (SystemTagRow, "tag"),
    "__tagUuid__": (UserTag, "tag_pattern_uuid"),
}
"""Pseudo field to the resource that holds the tags and the field of it that is compared."""


@dataclass(frozen=True, slots=True)
class Path:
    """A path that exists.

    Args:
        hops: the edges, in order.
        field: what is compared at the end.
        tags: the resource that `field` belongs to, when the end is a pseudo field.
    """

    hops: tuple[Edge, ...]
    field: Field
    tags: type[Record] | None = None


def resolve(graph: Graph, cls: type[Record], path: str) -> Path:
    """What `path` means on a resource.

    Raises:
        ValueError: it means nothing; the text names what comes close.
    """
    *chain, last = path.split(".")
    hops: list[Edge] = []
    at = cls
    for name in chain:
        hops += _step(graph, at, name)
        at = hops[-1].target
        if len(hops) > MAX_HOPS:
            raise ValueError(f"a path goes over at most {MAX_HOPS} edges; start from a resource nearer to the field")
    field = field_named(at, last)
    if field is not None:
        return Path(tuple(hops), field)
    if last in TAG_FIELDS:
        tags, column = TAG_FIELDS[last]
        return Path(tuple(hops), describe(tags).field(column), tags)
    hops += _step(graph, at, last)
    end = hops[-1]
    if end.plucked is None or end.listed != last:
        raise ValueError(
            f"path[{path}] leads to {query_name(end.target)} and ends; name one of its fields, as in {path}.uuid"
        )
    return Path(tuple(hops), describe(end.target).field(end.plucked))


def narrow(graph: Graph, cls: type[Record], where: Term) -> type[Record]:
    """The sub-type that a tree confines a base to, by an equation on its discriminator; else the base."""
    discriminator = describe(cls).options.discriminator
    if discriminator is None:
        return cls
    wire = describe(cls).field(discriminator).wire
    for term in where.terms if isinstance(where, And) else (where,):
        if isinstance(term, Cond) and term.path == wire and term.op is Op.EQ and isinstance(term.value, str):
            return graph.of_kind(cls, term.value) or cls
    return cls


def field_named(cls: type[Record], wire: str) -> Field | None:
    """The public field with this wire name."""
    return next((field for field in public_fields(cls) if field.wire == wire), None)


def ends(graph: Graph, cls: type[Record]) -> dict[str, Field]:
    """Every name that a path may end in here, and the field that is compared: fields, plucked edges, tags."""
    plucked = {
        edge.listed: describe(edge.target).field(edge.plucked)
        for edge in graph.embeds(cls)
        if edge.listed is not None and edge.plucked is not None
    }
    tags = {name: describe(holder).field(column) for name, (holder, column) in TAG_FIELDS.items()}
    return {field.wire: field for field in public_fields(cls)} | plucked | tags


def steps(graph: Graph, cls: type[Record]) -> dict[str, type[Record]]:
    """Every name that a path may go on over from here, and where it leads.

    Hidden edges are left out, but not the lists that they stand in an inventory as.
    """
    edges = {
        name: edge.target
        for name, edge in graph.edges(cls).items()
        if (name == edge.listed and edge.plucked is None) or (name == edge.name and not edge.hidden)
    }
    return edges | {alias: graph.expand(cls, (alias,))[-1].target for alias in graph.aliases(cls)}


def _step(graph: Graph, at: type[Record], name: str) -> tuple[Edge, ...]:
    if name in graph.edges(at) or name in graph.aliases(at):
        return graph.expand(at, (name,))
    raise ValueError(unknown(graph, at, name))


def unknown(graph: Graph, cls: type[Record], name: str) -> str:
    """Says that a resource has no such name, and what the caller may have meant."""
    problem = f"inventory class[{describe(cls).inventory}] has no field[{name}]"
    for sub in graph.subtypes(cls):
        if name in ends(graph, sub) or name in steps(graph, sub):
            return f"{problem}; {query_name(sub)} has it: {_confine(cls, sub)}"
    close = _close(name, (*ends(graph, cls), *steps(graph, cls)))
    return f"{problem}; did you mean {' or '.join(close)}?" if close else f"{problem}; see its inventory for its fields"


def _confine(cls: type[Record], sub: type[Record]) -> str:
    discriminator, kind = describe(cls).options.discriminator, describe(sub).options.kind
    if discriminator is None or kind is None:
        return f"query {query_name(sub)} instead"
    return f"add the condition {describe(cls).field(discriminator).wire}={kind}"


def _close(name: str, names: Iterable[str]) -> list[str]:
    # Case is what people get wrong most, so it does not count as a difference.
    by_lower = {candidate.lower(): candidate for candidate in names}
    return [by_lower[found] for found in difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.6)]
