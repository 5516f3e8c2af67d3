"""Which of ZStack's APIs are served: `Coverage`, of one part of the REST tree, and `coverage`, of all.

What there is to serve is ``scope.json`` beside this file: the full message classes of the APIs in scope, by the
first element of their REST path. It follows from the catalogue that the declarations are tested against.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files

import msgspec

from zstack_appliance.kernel.derive.legacy import messages
from zstack_appliance.kernel.plugin import Plugin, handler_of


@dataclass(frozen=True)
class Coverage:
    """How much of one part of the REST tree is served.

    Args:
        part: first element of the paths, such as ``vm-instances``.
        served: full classes of the APIs in scope that are answered.
        missing: full classes of those that are not.
    """

    part: str
    served: tuple[str, ...]
    missing: tuple[str, ...]


def scope() -> dict[str, tuple[str, ...]]:
    """The full message classes in scope, by the part of the REST tree that they belong to."""
    text = files(__package__).joinpath("scope.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, tuple[str, ...]])


def served(plugins: Iterable[Plugin]) -> frozenset[str]:
    """The full class of every message that one of these plugins answers: calls that have a handler, and queries."""
    chosen = tuple(plugins)
    handled = (handler_of(entry).message for plugin in chosen for entry in plugin.handlers)
    return frozenset(messages(handled, (cls for plugin in chosen for cls in plugin.resources)))


def coverage(plugins: Iterable[Plugin]) -> Iterator[Coverage]:
    """Every part of the REST tree, in alphabetical order."""
    known = served(plugins)
    for part, classes in sorted(scope().items()):
        yield Coverage(
            part,
            tuple(name for name in classes if name in known),
            tuple(name for name in classes if name not in known),
        )
