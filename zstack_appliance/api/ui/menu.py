"""The menu: `Menu` puts resources and the pages of plugins into sections, for one person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from zstack_appliance.api.ui.nouns import Nouns
from zstack_appliance.kernel.page import Page
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.principal import Principal

SECTIONS = ("Compute", "Storage", "Network", "Infrastructure", "Administration")
"""Those that are always in this order; others follow by name."""


@dataclass(frozen=True)
class Entry:
    """One line of the menu."""

    text: str
    href: str
    icon: str
    key: str
    rank: int


@dataclass(frozen=True)
class PluginPage:
    """A page that a plugin adds, with the plugin whose templates fill it."""

    plugin: Plugin
    page: Page

    @property
    def href(self) -> str:
        """Its address."""
        return f"/ui/plugins/{self.plugin.name}/{self.page.name}"


class Menu:
    """What stands where.

    Args:
        nouns: the resources.
        plugins: those with pages add them.
    """

    def __init__(self, nouns: Nouns, plugins: Iterable[Plugin]) -> None:
        self._nouns = nouns
        self.pages = {(plugin.name, page.name): PluginPage(plugin, page) for plugin in plugins for page in plugin.pages}

    def of(self, principal: Principal) -> list[tuple[str, list[Entry]]]:
        """The sections that this person sees, each with its entries in order."""
        placed: dict[str, list[Entry]] = {}
        for noun in self._nouns.all:
            if noun.looks.place is not None and self._nouns.may_see(noun, principal):
                section, rank = noun.looks.place
                entry = Entry(noun.many, f"/ui{noun.path}", noun.looks.icon, noun.looks.key, rank)
                placed.setdefault(section, []).append(entry)
        for found in self.pages.values():
            if found.page.menu and (principal.admin or not found.page.admin):
                entry = Entry(found.page.title, found.href, "plug", "", 100)
                placed.setdefault(found.page.menu, []).append(entry)
        for entries in placed.values():
            entries.sort(key=lambda entry: (entry.rank, entry.text))
        return [(section, placed[section]) for section in sorted(placed, key=_rank)]


def _rank(section: str) -> tuple[int, str]:
    return (SECTIONS.index(section) if section in SECTIONS else len(SECTIONS), section)
