"""The resources as the UI knows them: `Noun` (one, with what can be done to it) and `Nouns` (all of them)."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from zstack_appliance.api.ui.words import spaced
from zstack_appliance.kernel.derive.form import Acts, Kind, Shown, acts, is_for_administrators, shown
from zstack_appliance.kernel.edges import Graph, query_name
from zstack_appliance.kernel.message import Request
from zstack_appliance.kernel.presentation import Presentation
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.schema import Record, describe, owner_ref, root_of

COLUMNS = 7
"""How many columns a list has that nobody chose any for."""

MORE = "More"
"""The section of what nobody placed in the menu."""


@dataclass(frozen=True)
class Noun:
    """One resource that can be queried.

    Args:
        cls: the resource.
        path: its REST path, which is its path below ``/ui`` as well.
        looks: how its folder presents it.
        fields: what its inventory holds, most telling first.
        acts: its APIs.
    """

    cls: type[Record]
    path: str
    looks: Presentation
    fields: tuple[Shown, ...]
    acts: Acts

    @property
    def one(self) -> str:
        """What one is called."""
        return self.looks.one or spaced(query_name(self.cls))

    @property
    def many(self) -> str:
        """What the list is called: its folder's word for it, or what the API's path says."""
        return self.looks.many or spaced(self.path.rpartition("/")[2])

    @property
    def table(self) -> str:
        """The name by which changes of its rows are told."""
        return root_of(self.cls).table

    @functools.cached_property
    def columns(self) -> tuple[Shown, ...]:
        """The columns of its list."""
        if self.looks.columns:
            return tuple(self.field(wire) for wire in self.looks.columns)
        plain = [f for f in self.fields if f.kind not in _NOT_IN_LISTS and f.wire != "lastOpDate"]
        dates = [f for f in plain if f.wire == "createDate"]
        return tuple([f for f in plain if f.wire != "createDate"][: COLUMNS - 1] + dates)

    def field(self, wire: str) -> Shown:
        """The field of this name; for a path into an embedded list, its values in a row."""
        if "." in wire:
            return Shown(wire, Kind.VALUES)
        return next((field for field in self.fields if field.wire == wire), Shown(wire, Kind.TEXT))

    def can_make(self, principal: Principal, nouns: Nouns) -> list[type[Request[Any]]]:
        """The APIs by which this person may make one."""
        return [message for message in self.acts.makers if nouns.may_call(message, principal)]


def verb_of(message: type[Request[Any]], noun: Noun) -> str:
    """What an API is called beside its resource: ``AttachL2NetworkToCluster`` is ``Attach to cluster``."""
    said, own = spaced(message.__name__).split(), [word.lower() for word in spaced(query_name(noun.cls)).split()]
    lower = [word.lower() for word in said]
    for start in range(1, len(said) - len(own) + 1):
        if lower[start : start + len(own)] == own:
            said = said[:start] + said[start + len(own) :]
            break
    while len(said) > 1 and said[-1] in ("to", "from", "of"):
        said = said[:-1]
    return " ".join(said)


_NOT_IN_LISTS = {Kind.UUID, Kind.LONG, Kind.STRUCTURE, Kind.ROWS, Kind.UNSEEN}


class Nouns:
    """Every resource that has a path, and every API.

    Args:
        graph: the resources.
        requests: what is served.
        presentations: of every plugin.
    """

    def __init__(
        self, graph: Graph, requests: Iterable[type[Request[Any]]], presentations: Iterable[Presentation]
    ) -> None:
        self.graph = graph
        self.messages = {message.__name__: message for message in requests}
        looks = {each.resource: each for each in presentations}
        self._by_class: dict[type[Record], Noun] = {}
        for cls in graph.resources:
            path = describe(cls).options.path
            if path is not None:
                look = looks.get(cls) or Presentation(cls)
                made = acts(self.messages.values(), cls)
                self._by_class[cls] = Noun(cls, path, look, shown(graph, cls), made)
        self._by_path = {noun.path: noun for noun in self._by_class.values()}
        self.by_table = {noun.table: noun for noun in self._by_class.values()}

    @property
    def all(self) -> tuple[Noun, ...]:
        """All of them, ordered by path."""
        return tuple(self._by_path[path] for path in sorted(self._by_path))

    def at(self, path: str) -> Noun | None:
        """The resource whose path this is."""
        return self._by_path.get(path)

    def of(self, cls: type[Record]) -> Noun | None:
        """The resource of a class; a sub-type's is its base's."""
        return self._by_class.get(cls) or self._by_class.get(root_of(cls).cls)

    def may_call(self, message: type[Request[Any]], principal: Principal) -> bool:
        """Whether it makes sense to offer this API to this person."""
        return principal.admin or not is_for_administrators(message)

    def may_see(self, noun: Noun, principal: Principal) -> bool:
        """Whether this person can ever see rows of this resource."""
        root = root_of(noun.cls)
        return principal.admin or root.options.readable or root.options.owned or owner_ref(root.cls) is not None
