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
@click.argument("resource")
@click.option("--hops", type=click.IntRange(0, 3), default=0, show_default=True, help="Edges to go over.")
@click.option("--count", is_flag=True, help="Print only how many there are.")
def conditions(resource: str, hops: int, *, count: bool) -> None:
    """Print every condition that a query of RESOURCE takes: path and operator."""
    from zstack_appliance.cli.registry import graph

    noun, output = find_resource(resource), Output()
    if count:
        output.line(str(count_conditions(graph(), noun, hops)))
        return
    for path, op in all_conditions(graph(), noun, hops):
        output.line(f"{path} {op.value}")


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
