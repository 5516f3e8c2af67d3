"""The route table, read from the declarations: which API a method and a path mean.

Primitives: `CallRoute` (an API at one of its paths), `QueryRoute` (the query of a resource), `Slot` (all
routes whose paths differ only in the names of their variables) and `Routes` (finds the slot of a path).

The rules are ZStack's. A path without variables beats a template. A slot of one route takes any method; a
slot of several has at most one route for each of POST, GET and DELETE, and any number for PUT, where a key
of the body says which one is meant.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from zstack_appliance.kernel.message import Api, Request, action_name, api_of, wire_name
from zstack_appliance.kernel.schema import Record, describe, fields_of


@dataclass(frozen=True)
class CallRoute:
    """An API at one path.

    Args:
        method: as declared; it also says whether the parameters are in the body or in the query string.
        path: template below ``/zstack/v1``, such as ``/zones/{uuid}/actions``.
        message: what the call is decoded to.
        declared: the API's declaration.
        fields: wire names of the fields that the path's variables set, in the path's order.
        key: key of the body below which the parameters stand; for PUT it also picks the API.
        wire: ZStack's full class of the message.
    """

    method: str
    path: str
    message: type[Request[Any]]
    declared: Api
    fields: tuple[str, ...]
    key: str
    wire: str


@dataclass(frozen=True)
class QueryRoute:
    """The query of a resource: ``/zones``, or ``/zones/{uuid}`` for one row.

    Args:
        path: template below ``/zstack/v1``.
        resource: what is queried.
        fields: ``("uuid",)`` for one row, ``()`` for the list.
    """

    path: str
    resource: type[Record]
    fields: tuple[str, ...]
    method: str = "GET"


Route = CallRoute | QueryRoute


class Misfit(enum.Enum):
    """Why no route of a slot is meant."""

    METHOD = "method"
    ACTION = "action"


@dataclass
class Slot:
    """The routes that share one path, but for the names of its variables."""

    routes: list[Route] = field(default_factory=list)
    by_method: dict[str, Route] = field(default_factory=dict)
    """POST, GET and DELETE to their one route."""
    by_action: dict[str, Route] = field(default_factory=dict)
    """For PUT: key of the body to its route."""

    def add(self, route: Route) -> None:
        """Take a route in.

        Raises:
            ValueError: another one already answers the same calls.
        """
        is_action = isinstance(route, CallRoute) and route.method == "PUT"
        name = route.key if isinstance(route, CallRoute) and is_action else route.method
        taken = (self.by_action if is_action else self.by_method).setdefault(name, route)
        if taken is not route:
            raise ValueError(f"{_named(route)} and {_named(taken)} both answer {name} at {route.path}")
        self.routes.append(route)

    def pick(self, method: str, keys: Collection[str]) -> Route | Misfit:
        """The route that a call means.

        Args:
            method: of the HTTP request.
            keys: the keys at the top of its body.
        """
        if len(self.routes) == 1:
            return self.routes[0]
        if method != "PUT":
            return self.by_method.get(method, Misfit.METHOD)
        if not self.by_action:
            return Misfit.METHOD
        for action, route in self.by_action.items():
            if action in keys:
                return route
        return Misfit.ACTION


class Found(NamedTuple):
    """A slot, and what stands in the path at its variables, in order."""

    slot: Slot
    values: tuple[str, ...]


@dataclass
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    variable: _Node | None = None
    slot: Slot | None = None


class Routes:
    """The route table of one set of APIs and resources.

    Args:
        requests: every request that someone serves; those that are no API are left out.
        resources: every registered resource; those without a path are left out.

    Raises:
        ValueError: two APIs answer the same calls.
        TypeError: a variable of a path names no field of its message.
    """

    def __init__(self, requests: Iterable[type[Request[Any]]], resources: Iterable[type[Record]]) -> None:
        self._root = _Node()
        self._exact: dict[str, Slot] = {}
        self.all: tuple[Route, ...] = (
            *(route for message in requests for route in _calls(message)),
            *(route for resource in resources for route in _queries(resource)),
        )
        for route in self.all:
            self._place(route)

    def find(self, path: str) -> Found | None:
        """The slot of a path below ``/zstack/v1``, percent-decoded; None when nothing is there."""
        slot = self._exact.get(path)
        if slot is not None:
            return Found(slot, ())
        return _walk(self._root, _segments(path), 0, ())

    def _place(self, route: Route) -> None:
        node = self._root
        segments = _segments(route.path)
        for segment in segments:
            if segment.startswith("{"):
                node.variable = node = node.variable or _Node()
            else:
                node = node.literals.setdefault(segment, _Node())
        node.slot = node.slot or Slot()
        node.slot.add(route)
        if not route.fields:
            self._exact[f"/{'/'.join(segments)}"] = node.slot


def _walk(node: _Node, segments: list[str], depth: int, values: tuple[str, ...]) -> Found | None:
    """Literals first at every level, so that what has no variable at all is found before any template."""
    if depth == len(segments):
        return None if node.slot is None else Found(node.slot, values)
    literal = node.literals.get(segments[depth])
    if literal is not None:
        found = _walk(literal, segments, depth + 1, values)
        if found is not None:
            return found
    if node.variable is None:
        return None
    return _walk(node.variable, segments, depth + 1, (*values, segments[depth]))


def _segments(path: str) -> list[str]:
    """The parts between slashes. Go's SDK sends double slashes, which count as one."""
    return [segment for segment in path.split("/") if segment]


def _calls(message: type[Request[Any]]) -> Iterable[Route]:
    declared = api_of(message)
    if declared is None:
        return
    key = declared.key or ("params" if declared.method == "POST" else action_name(message))
    wires = {field.wire for field in fields_of(message)}
    for path in (declared.path, *declared.aliases):
        names = tuple(declared.rename.get(name, name) for name in _variables(path))
        for name in names:
            if name not in wires:
                raise TypeError(f"{message.__name__} has no field {name}, which its path {path} sets")
        yield CallRoute(declared.method, path, message, declared, names, key, wire_name(message))


def _queries(resource: type[Record]) -> Iterable[Route]:
    path = describe(resource).options.path
    if path is not None:
        yield QueryRoute(path, resource, ())
        yield QueryRoute(f"{path}/{{uuid}}", resource, ("uuid",))


def _variables(path: str) -> tuple[str, ...]:
    return tuple(segment[1:-1] for segment in _segments(path) if segment.startswith("{"))


def _named(route: Route) -> str:
    return route.message.__name__ if isinstance(route, CallRoute) else f"the query of {route.resource.__name__}"
