"""Plugins of third parties as the command line sees them: those in the data folder of this machine's appliance.

Their declarations are read as the built-in ones are, from ``schema`` and ``messages`` alone. Which data folder is
meant is said by ``--data``, by ``ZSTACK_APPLIANCE_DATA``, or it is the one where an appliance of this machine lives.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import click

from zstack_appliance.cli.place import DATA_FOLDERS

T = TypeVar("T")

_KEPT = "zstack_appliance.data"
"""Where a click context keeps what ``--data`` said."""


def keep_data(ctx: click.Context, args: Sequence[str]) -> None:
    """Note what ``--data`` says among the arguments, because the commands themselves depend on it."""
    for place, argument in enumerate(args):
        name, is_joined, value = argument.partition("=")
        if name == "--data":
            ctx.meta[_KEPT] = Path(value if is_joined else next(iter(args[place + 1 :]), ""))


def local_data() -> Path | None:
    """The data folder of this machine that is meant, if it has plugins."""
    ctx = click.get_current_context(silent=True)
    named = ctx.meta.get(_KEPT) if ctx is not None else None
    named = named or os.environ.get("ZSTACK_APPLIANCE_DATA")
    for folder in (Path(named),) if named else DATA_FOLDERS:
        if (folder / "plugins").is_dir():
            return folder
    return None


def per_folder(make: Callable[[], T]) -> Callable[[], T]:
    """Remember what a function gives, for each data folder that is meant."""
    kept: dict[Path | None, T] = {}

    @functools.wraps(make)
    def made() -> T:
        folder = local_data()
        if folder not in kept:
            kept[folder] = make()
        return kept[folder]

    return made


def modules_of_others(kind: str) -> Iterator[ModuleType]:
    """The modules of this name of all third parties' plugins. One that cannot be used is told, and left out."""
    folder = local_data()
    if folder is not None:
        from zstack_appliance.plugin_folder import candidates, fault, import_from, make_importable

        inside = (folder / "plugins").resolve()
        paths = [path for path in candidates(inside) if fault(path) is None]
        make_importable(inside, fresh=False)
        for path in paths:
            if (path / f"{kind}.py").is_file():
                yield from _imported(path.name, functools.partial(import_from, path, kind))
    for point in importlib.metadata.entry_points(group="zstack_appliance.plugins"):
        package = point.module.rpartition(".")[0]
        if package and importlib.util.find_spec(f"{package}.{kind}") is not None:
            yield from _imported(point.name, functools.partial(importlib.import_module, f"{package}.{kind}"))


def _imported(name: str, load: Callable[[], Any]) -> Iterator[ModuleType]:
    try:
        yield load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 — it is others' code, which may raise anything.
        click.echo(f"the plugin {name} cannot be read and is left out: {error}; see 'plugins'", err=True)
