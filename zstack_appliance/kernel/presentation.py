"""How a resource is shown to people, where its declaration alone does not say it well: `Presentation` and `Tab`.

A folder puts one value per resource into its `ui.py` and lists it in its plugin. Everything in it is optional:
a resource without one is shown all the same, by what `derive/form.py` reads from its declaration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zstack_appliance.kernel.schema import Record

Place = tuple[str, int]
"""A section of the menu, and the rank in it; smaller numbers come first."""


@dataclass(frozen=True)
class Tab:
    """One more part of a resource's page.

    Args:
        slug: last element of its address, such as ``console``.
        title: what the tab is called.
        template: the Jinja template that fills it, below ``webui/templates``; it is given ``row``, the inventory.
        states: the states of the row in which there is something to see; empty means all.
        asks: name of an API of the row whose answer the tab's script asks for, such as a ticket. It is not offered
            among what can be done to the row.
        given: the API's further parameters, wire name to value.
        starts: name of the API that is offered in states in which there is nothing to see.
    """

    slug: str
    title: str
    template: str
    states: tuple[str, ...] = ()
    asks: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    starts: str = ""


@dataclass(frozen=True)
class Gauge:
    """How much of something all rows together have left, shown on the first page.

    Args:
        label: what it is.
        total: wire name of the field with all of it.
        available: wire name of the field with what is free.
        is_bytes: whether these are bytes.
        rank: its place among all gauges.
    """

    label: str
    total: str
    available: str
    is_bytes: bool = True
    rank: int = 9


@dataclass(frozen=True)
class Presentation:
    """What people see of one resource.

    Args:
        resource: the resource; its sub-types share it.
        one: what one is called, such as ``VM``.
        many: what the list is called, such as ``Virtual machines``.
        place: where it stands in the menu; None keeps it out of it.
        icon: name of a symbol in ``webui/static/icons.svg``.
        key: the letter that goes to the list, after ``g``.
        columns: wire names of the list's columns; a path such as ``vmNics.ip`` reaches into an embedded list.
        sort: the order of the list; ``-`` in front turns it round.
        inputs: wire names of what a form asks for first, in this order; the rest is folded away.
        prefill: wire names of references that a form begins with the first choice of, though none is needed.
        when: API name to the states of the row in which it is offered; one that is not named always is.
        first: names of the APIs that stand as buttons beside the title; the others are in a menu.
        tabs: further parts of its page.
        placement: name of the API that tells where what is made would go; its reply has ``accepted``,
            ``rejected``, ``chosen`` and ``placements``.
        note: one sentence for whoever has none yet.
        gauges: what the first page adds up over all rows.
        counted: wire name of the field by whose values the first page counts the rows.
        step: its place among the things that a fresh cloud needs, from 1; 0 is none.
    """

    resource: type[Record]
    one: str = ""
    many: str = ""
    place: Place | None = None
    icon: str = "box"
    key: str = ""
    columns: tuple[str, ...] = ()
    sort: str = "-createDate"
    inputs: tuple[str, ...] = ()
    prefill: tuple[str, ...] = ()
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    first: tuple[str, ...] = ()
    tabs: tuple[Tab, ...] = ()
    placement: str = ""
    note: str = ""
    gauges: tuple[Gauge, ...] = ()
    counted: str = ""
    step: int = 0
