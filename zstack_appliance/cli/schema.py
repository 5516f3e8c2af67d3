"""``schema``: what is declared of a resource, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from zstack_appliance.cli.declared import apis, find_resource, path_of
from zstack_appliance.cli.output import Output
from zstack_appliance.kernel.derive.ddl import schema_sql
from zstack_appliance.kernel.derive.query import conditions as all_conditions
from zstack_appliance.kernel.derive.query import count_conditions
from zstack_appliance.kernel.edges import Edge, query_name
from zstack_appliance.kernel.message import api_of, resource_of, wire_name
from zstack_appliance.kernel.paths import MAX_HOPS
from zstack_appliance.kernel.schema import HIDDEN, SECRET, Field, Record, describe, fields_of


@click.group()
def schema() -> None:
    """What is declared of a resource."""


@schema.command()
@click.argument("resource")
def show(resource: str) -> None:
    """Print RESOURCE's table, validation, routes, messages and edges."""
    noun = find_resource(resource)
    output = Output()
    for line in described(noun):
        output.line(line)


@schema.command()
@click.argument("resource", required=False)
@click.option("--hops", type=click.IntRange(0, MAX_HOPS), help="Edges to go over; 0 unless counting.")
@click.option("--count", is_flag=True, help="Print only how many there are, by the number of edges.")
def conditions(resource: str | None, hops: int | None, *, count: bool) -> None:
    """Print every condition that a query of RESOURCE takes, or of any resource: path and operator.

    A condition is a path and one of the operators that the type of its end takes; values make no difference.
    A path is a chain of edges and a field, an embedded value or a tag at its end. Chains may come back to a
    resource, as in vmNics.vmInstance.vmNics, but each count says how many edges its chains have at most. With
    --count, every number of edges from 0 to --hops (5) is counted, by adding up and not by listing.
    """
    from zstack_appliance.cli.registry import graph

    output, known = Output(), graph()
    nouns = (find_resource(resource),) if resource else tuple(cls for cls in known.resources if _is_asked(cls))
    if count:
        each = [[count_conditions(known, noun, edges) for noun in nouns] for edges in range((hops or 5) + 1)]
        rows = [[str(edges), f"{sum(counts):,}"] for edges, counts in enumerate(each)]
        output.table(("edges at most", "conditions"), rows)
        return
    for noun in nouns:
        prefix = "" if resource else f"{query_name(noun)} "
        for path, op in all_conditions(known, noun, hops or 0):
            output.line(f"{prefix}{path} {op.value}")


@schema.command()
@click.option("--missing", is_flag=True, help="Name every API that is not served.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def coverage(*, missing: bool, as_json: bool) -> None:
    """Print how many of ZStack's APIs in scope are served, for each part of the REST tree and in all."""
    from zstack_appliance.cli.coverage import coverage as covered
    from zstack_appliance.cli.registry import plugins

    output, parts = Output(as_json), list(covered(plugins()))
    if as_json:
        output.value(parts)
        return
    numbers = [(part.part, len(part.served), len(part.served) + len(part.missing)) for part in parts]
    numbers.append(("in all", sum(each[1] for each in numbers), sum(each[2] for each in numbers)))
    output.table(("part", "served", "in scope"), [list(map(str, row)) for row in numbers])
    for part in parts if missing else ():
        for name in part.missing:
            output.line(name)


def _is_asked(noun: type[Record]) -> bool:
    """Whether it has a query of its own; a sub-type is asked for by its base's."""
    return describe(noun).options.path is not None


def described(noun: type[Record]) -> Iterator[str]:
    """The whole declaration in lines of text."""
    from zstack_appliance.cli.registry import graph

    about = describe(noun)
    yield f"{query_name(noun)}: {(noun.__doc__ or '').strip().splitlines()[0]}"
    yield f"  on the wire {about.inventory}, in tags {about.vo}"
    yield ""
    yield "table"
    for statement in schema_sql([noun]).get(about.table, ()):
        yield from (f"  {line}" for line in statement.splitlines())
    yield ""
    yield "fields"
    yield from (f"  {field_line(field)}" for field in about.fields)
    yield ""
    yield "routes and messages"
    if path_of(noun) is not None:
        yield f"  GET {path_of(noun)}  query"
    for message in apis():
        if resource_of(message) is noun:
            yield from _message(message)
    yield ""
    yield "edges"
    yield from (f"  {edge_line(name, edge)}" for name, edge in sorted(graph().edges(noun).items()))
    yield from (f"  {name} = {'.'.join(chain)}" for name, chain in sorted(graph().aliases(noun).items()))


def _message(message: Any) -> Iterator[str]:
    declared = api_of(message)
    assert declared is not None
    yield f"  {declared.method} {declared.path}  {wire_name(message)}, for {declared.access.value}"
    yield from (f"      {field_line(field)}" for field in fields_of(message))


def field_line(field: Field) -> str:
    """One field: its wire name, its type, and what its values must keep to."""
    kind = getattr(field.type, "__name__", str(field.type))
    parts = [kind if field.enum is None else "|".join(str(member.value) for member in field.enum)]
    parts += ["required"] if field.required else [f"default {getattr(field.default, 'value', field.default)}"]
    for meta in field.meta:
        limits = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
        parts += [f"{sign} {getattr(meta, name)}" for name, sign in limits.items() if getattr(meta, name) is not None]
        parts += [f"at most {meta.max_length} long"] if meta.max_length is not None else []
        parts += [f"matches {meta.pattern}"] if meta.pattern else []
    if field.ref is not None:
        parts.append(f"refers to {field.ref.target.__name__}, on delete {field.ref.on_delete.value}")
    parts += [flag.label for flag in (SECRET, HIDDEN) if field.marked(flag)]
    return f"{field.wire}: {', '.join(parts)}"


def edge_line(name: str, edge: Edge) -> str:
    """One edge: where it leads, and by which columns."""
    arity = "many" if edge.many else "one"
    hidden = ", hidden" if edge.hidden else ""
    return f"{name} -> {arity} {edge.target.__name__} ({edge.column} = {edge.key}){hidden}"
