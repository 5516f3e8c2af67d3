"""The API's reference, made from the declarations: `index_page` and `resource_page`."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from starlette.responses import Response

from zstack_appliance.api.ui.visit import Visit
from zstack_appliance.kernel.derive.form import choices_of
from zstack_appliance.kernel.derive.route import CallRoute
from zstack_appliance.kernel.edges import public_fields, query_name
from zstack_appliance.kernel.errors import DESCRIPTIONS, NotFound
from zstack_appliance.kernel.message import Request, resource_of
from zstack_appliance.kernel.paths import steps
from zstack_appliance.kernel.schema import Field, Record, describe, fields_of, root_of
from zstack_appliance.kernel.unserved import UNSERVED


@dataclass(frozen=True)
class Column:
    """A field, as the reference shows it."""

    wire: str
    type: str
    required: bool
    note: str


@dataclass(frozen=True)
class Call:
    """An API, as the reference shows it."""

    name: str
    method: str
    path: str
    access: str
    key: str
    sync: bool
    text: str
    arguments: tuple[Column, ...]


async def index_page(visit: Visit) -> Response:
    """Every resource, every call that is about none, every code of an error."""
    resources = sorted((cls for cls in visit.nouns.graph.resources if _is_public(visit, cls)), key=query_name)
    loose = [call for call in _calls(visit) if call[0] is None]
    return visit.page(
        "reference.html",
        resources=[(query_name(cls), describe(cls).options.path or "", _first_line(cls)) for cls in resources],
        loose=[call for _, call in loose],
        codes=sorted(DESCRIPTIONS.items()),
    )


async def resource_page(visit: Visit, name: str) -> Response:
    """One resource: its fields, where one can go from it, and its calls.

    Raises:
        NotFound: there is no such resource.
    """
    cls = visit.nouns.graph.named(name)
    if cls is None or not _is_public(visit, cls):
        raise NotFound(f"no resource is called {name[:100]}; the reference lists those that there are")
    mine = [call for target, call in _calls(visit) if target is not None and root_of(target).cls is root_of(cls).cls]
    return visit.page(
        "reference_resource.html",
        name=query_name(cls),
        text=inspect.cleandoc(cls.__doc__ or ""),
        path=describe(cls).options.path,
        inventory=describe(cls).inventory,
        fields=[_column(field) for field in public_fields(cls)],
        edges=[
            (edge, query_name(target), _is_public(visit, target))
            for edge, target in sorted(steps(visit.nouns.graph, cls).items())
        ],
        calls=mine,
        noun=visit.nouns.of(cls),
    )


def _is_public(visit: Visit, cls: type[Record]) -> bool:
    return describe(cls).options.path is not None or describe(cls).base is not None


def _calls(visit: Visit) -> list[tuple[type[Record] | None, Call]]:
    found: dict[str, tuple[type[Record] | None, Call]] = {}
    for route in visit.inside.routes.all:
        if isinstance(route, CallRoute):
            found.setdefault(route.message.__name__, (resource_of(route.message), _call(route)))
    return [found[name] for name in sorted(found)]


def _call(route: CallRoute) -> Call:
    message: type[Request[Any]] = route.message
    return Call(
        name=message.__name__,
        method=route.method,
        path=f"/zstack/v1{route.path}",
        access=route.declared.access.value,
        key=route.key if route.method in ("POST", "PUT") else "",
        sync=route.declared.sync,
        text=inspect.cleandoc(message.__doc__ or ""),
        arguments=tuple(_column(field) for field in fields_of(message) if not field.marked(UNSERVED)),
    )


def _column(field: Field) -> Column:
    return Column(field.wire, _type(field), field.required and not field.nullable, _note(field))


def _type(field: Field) -> str:
    if field.ref is not None:
        return f"{'list of ' if field.is_json else ''}uuid of {query_name(field.ref.target)}"
    if choices_of(field):
        return " | ".join(choices_of(field))
    return _type_name(field.type)


def _type_name(declared: Any) -> str:
    origin = get_origin(declared)
    if origin in (list, tuple):
        inner = [_type_name(each) for each in get_args(declared) if each is not Ellipsis]
        return f"list of {inner[0]}" if inner else "list"
    if origin is dict:
        return "map"
    return {str: "text", int: "whole number", bool: "true or false", float: "number"}.get(
        declared, getattr(declared, "__name__", "any")
    )


def _note(field: Field) -> str:
    told = [meta.description for meta in field.meta if meta.description and field.ref is None]
    for meta in field.meta:
        if meta.ge is not None or meta.le is not None:
            told.append(_range(meta.ge, meta.le))
        if meta.max_length is not None:
            told.append(f"at most {meta.max_length} characters")
    if not field.required and field.default not in (None, ()):
        told.append(f"by default {getattr(field.default, 'value', field.default)}")
    return "; ".join(told)


def _range(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"from {low} to {high}"
    return f"at least {low}" if low is not None else f"at most {high}"


def _first_line(cls: type) -> str:
    return (cls.__doc__ or "").partition("\n")[0]
