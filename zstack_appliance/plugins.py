"""Every plugin of an appliance: `installed`, and `look`, which says of each from where it comes, or what is wrong.

There are the built-in ones, those in ``<data>/plugins`` (one folder each), and Python packages that name one by
an entry point of the group ``zstack_appliance.plugins``. An appliance that cannot have all of them does not start:
a cloud must not run without what it was told to run with.
"""

from __future__ import annotations

import importlib.metadata
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import zstack_appliance.cloud
from zstack_appliance.kernel.claims import refuse_clashes
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.plugin import Plugin, discover
from zstack_appliance.plugin_folder import OFF, candidates, fault, import_from, make_importable

FOLDER = "plugins"
"""Of the data folder."""

GROUP = "zstack_appliance.plugins"
"""Of the entry points."""


@dataclass(frozen=True)
class Source:
    """Where a plugin of a third party comes from.

    Args:
        name: what the plugin has to be called.
        place: for people: the folder, or the package with its version.
        without: what to do to start without it.
        load: imports it; raises whatever its code raises.
    """

    name: str
    place: str
    without: str
    load: Callable[[], object]


@dataclass
class Look:
    """What was found."""

    plugins: tuple[Plugin, ...]
    """Those that can be used together, ordered by name."""
    places: dict[str, str] = field(default_factory=dict)
    """Of the plugins of third parties, by name."""
    broken: dict[str, str] = field(default_factory=dict)
    """By place, what is wrong with it and what to do."""


def installed(data: Path) -> tuple[Plugin, ...]:
    """Every plugin of the appliance that has this data folder, ordered by name.

    Raises:
        Conflict: one of a third party cannot be used; it names all that cannot, and how to start without them.
        RuntimeError: there are no built-in ones.
    """
    found = look(data, fresh=True)
    if found.broken:
        raise Conflict("\n".join(f"{place}: {text}" for place, text in found.broken.items()))
    return found.plugins


def look(data: Path | None, *, fresh: bool = False) -> Look:
    """Find and import all plugins; what is wrong with one is told in the result.

    Args:
        data: the data folder; None leaves its plugins out.
        fresh: import anew what a folder holds, also if this process has imported it before.

    Raises:
        Conflict: the folder of plugins cannot be read.
        RuntimeError: there are no built-in ones.
    """
    built_in = discover(zstack_appliance.cloud.__name__)
    found = Look(built_in)
    loaded: list[tuple[Source, Plugin]] = []
    for source in (*_folders(data, fresh=fresh, broken=found.broken), *_entry_points()):
        try:
            loaded.append((source, _checked(source, source.load())))
        except (Exception, SystemExit) as error:  # noqa: BLE001 — it is others' code, which may raise anything.
            found.broken[source.place] = f"{_told(error)}; mend it, or start without it: {source.without}"
    _join(found, loaded)
    found.plugins = tuple(sorted(found.plugins, key=lambda plugin: plugin.name))
    return found


def _folders(data: Path | None, *, fresh: bool, broken: dict[str, str]) -> Iterator[Source]:
    if data is None:
        return
    # Followed once: what is checked must be what is imported, whoever may move a link that led here.
    folder = (data / FOLDER).resolve()
    paths = candidates(folder)
    if paths:
        make_importable(folder, fresh=fresh)
    for path in paths:
        wrong = fault(path)
        if wrong is None:
            yield _folder(path)
        else:
            broken[f"the plugin folder {path}"] = f"{wrong}; or start without it: {_move_away(path)}"


def _folder(path: Path) -> Source:
    return Source(path.name, f"the plugin folder {path}", _move_away(path), lambda: import_from(path, "plugin").plugin)


def _move_away(path: Path) -> str:
    return f"mv {path} {path}{OFF}"


def _entry_points() -> Iterator[Source]:
    for point in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda point: point.name):
        package = f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value
        name = point.dist.name if point.dist is not None else point.value
        yield Source(point.name, f"the Python package {package}", f"pip uninstall {name}", point.load)


def _checked(source: Source, found: object) -> Plugin:
    if not isinstance(found, Plugin):
        raise Conflict(f"it has no `plugin = Plugin(...)`, but {found!r}")
    if found.name != source.name:
        raise Conflict(f"its plugin is called {found.name!r}; it has to be called {source.name!r} as its folder is")
    if found.pages and (found.templates is None or not found.templates.is_dir()):
        raise Conflict(f"it has pages, but no folder of templates at {found.templates}")
    return found


def _join(found: Look, loaded: list[tuple[Source, Plugin]]) -> None:
    """Take in one by one what goes with the rest, again and again, because one may build on another."""
    waiting, errors = loaded, dict[str, str]()
    while waiting:
        left, errors = _join_each(found, waiting)
        if len(left) == len(waiting):
            break
        waiting = left
    found.broken |= errors


def _join_each(found: Look, waiting: list[tuple[Source, Plugin]]) -> tuple[list[tuple[Source, Plugin]], dict[str, str]]:
    """Take in what goes with the rest; give what does not, and why."""
    left: list[tuple[Source, Plugin]] = []
    errors: dict[str, str] = {}
    for source, plugin in waiting:
        try:
            refuse_clashes((*found.plugins, plugin))
        except (TypeError, ValueError) as error:
            left.append((source, plugin))
            errors[source.place] = f"{error}; mend it, or start without it: {source.without}"
        else:
            found.plugins = (*found.plugins, plugin)
            found.places[plugin.name] = source.place
    return left, errors


def _told(error: BaseException) -> str:
    """An error in one line, with the place in the plugin's own code."""
    if isinstance(error, Conflict):
        return str(error)
    if isinstance(error, SyntaxError):
        return f"it cannot be imported: {error.msg} ({error.filename}, line {error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename != __file__ and "importlib" not in frame.filename]
    where = f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""
    return f"it cannot be imported: {type(error).__name__}: {error}{where}"
