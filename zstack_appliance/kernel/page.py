"""A page of the web interface, as data: `Page`. The interface puts it into its menu and its frame."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zstack_appliance.kernel.cloud import Cloud

Shown = tuple[str, Mapping[str, Any]]
"""A template in the plugin's folder of templates, and what it is filled with."""


@dataclass(frozen=True)
class Page:
    """One page that a plugin adds.

    Args:
        name: names it in its address, below the plugin's own; small letters, digits and dashes.
        title: what people read above it and in the menu.
        menu: the heading of the menu that it stands under; empty puts it into none.
        show: ``async def show(cloud)``, with the rights of whoever looks; it changes nothing.
        admin: whether only administrators may see it.
    """

    name: str
    title: str
    menu: str
    show: Callable[[Cloud], Awaitable[Shown]]
    admin: bool = True
