"""What can be asked of a resource, derived from its declaration and its edges.

Primitives: `complete` (how a half-typed condition may go on), `conditions` (every path and operator, one by
one) and `count_conditions` (how many there are, without going through them).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from zstack_appliance.kernel.comparison import Shape, operators_of, shape_of
from zstack_appliance.kernel.conditions import REST_OPERATORS, Op, parse_condition
from zstack_appliance.kernel.edges import Graph
from zstack_appliance.kernel.errors import InvalidArgument
from zstack_appliance.kernel.paths import ends, resolve, steps
from zstack_appliance.kernel.schema import Field, Record

_SPELLINGS = {op: spelling if op.takes_value else f" {spelling}" for spelling, op in REST_OPERATORS}


@dataclass(frozen=True, slots=True)
class Completion:
    """One way to go on.

    Args:
        text: the whole condition so far, with what was typed replaced.
        help: what stands there, in a word or two.
    """

    text: str
    help: str


def complete(graph: Graph, cls: type[Record], typed: str) -> tuple[Completion, ...]:
    """How a condition that begins with `typed` may go on, in alphabetical order.

    A path goes on with fields, and with edges, which end in a dot; a path that is whole goes on with its
    operators as well; behind an operator, enumerations and booleans offer their values.
    """
    try:
        condition = parse_condition(typed)
    except InvalidArgument:
        return (*_complete_path(graph, cls, typed), *_complete_operator(graph, cls, typed))
    if not condition.op.takes_value or condition.op.takes_list or not isinstance(condition.value, str):
        return ()
    before = typed.removesuffix(condition.value)
    return tuple(
        Completion(before + value, "value")
        for value in _values(_field(graph, cls, condition.path))
        if value.startswith(condition.value)
    )


def _complete_path(graph: Graph, cls: type[Record], typed: str) -> Iterator[Completion]:
    chain, dot, begun = typed.rpartition(".")
    at = _walk(graph, cls, chain)
    if at is None:
        return
    offers = {name: shape_of(field).value for name, field in ends(graph, at).items()}
    # An edge that is also a value, such as attachedClusterUuids, is offered as the value that it mostly is.
    offers = {f"{name}.": target.__name__ for name, target in steps(graph, at).items() if name not in offers} | offers
    for name in sorted(offers):
        if name.startswith(begun) and name != begun:
            yield Completion(f"{chain}{dot}{name}", offers[name])


def _complete_operator(graph: Graph, cls: type[Record], typed: str) -> Iterator[Completion]:
    field = _field(graph, cls, typed)
    if field is not None:
        for op in operators_of(field):
            yield Completion(f"{typed}{_SPELLINGS[op]}", "operator")


def _walk(graph: Graph, cls: type[Record], chain: str) -> type[Record] | None:
    try:
        edges = graph.expand(cls, tuple(chain.split("."))) if chain else ()
    except TypeError:
        return None
    return edges[-1].target if edges else cls


def _field(graph: Graph, cls: type[Record], path: str) -> Field | None:
    try:
        return resolve(graph, cls, path).field
    except ValueError:
        return None


def _values(field: Field | None) -> tuple[str, ...]:
    if field is None:
        return ()
    if shape_of(field) is Shape.BOOLEAN:
        return ("true", "false")
    return tuple(str(member.value) for member in field.enum) if field.enum is not None else ()


def conditions(graph: Graph, cls: type[Record], hops: int) -> Iterator[tuple[str, Op]]:
    """Every path over at most `hops` edges with every operator that its field takes.

    Hidden edges are left out, as the aliases that lead over them stand for them.
    """
    for name, field in ends(graph, cls).items():
        for op in operators_of(field):
            yield name, op
    if hops > 0:
        for name, target in steps(graph, cls).items():
            for path, op in conditions(graph, target, hops - 1):
                yield f"{name}.{path}", op


def count_conditions(graph: Graph, cls: type[Record], hops: int) -> int:
    """How many `conditions` there are; takes time by the number of resources, not of conditions."""
    counts = {at: _count_ends(graph, at) for at in graph.resources}
    own = dict(counts)
    for _ in range(hops):
        counts = {at: own[at] + sum(counts[target] for target in steps(graph, at).values()) for at in graph.resources}
    return counts[cls]


def _count_ends(graph: Graph, cls: type[Record]) -> int:
    return sum(len(operators_of(field)) for field in ends(graph, cls).values())
