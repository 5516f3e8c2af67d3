"""A folder with plugins that an administrator put there: `safe_folders`, and `import_from`, which imports one.

What lies in such a folder runs with the appliance's rights. So it, and every folder that leads to it, has to
belong to root or to whoever runs the appliance, nobody else may write there, and no link may lead out of it.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import os
import re
import stat
import sys
import types
from collections.abc import Iterator
from pathlib import Path

from zstack_appliance.kernel.errors import Conflict

PACKAGE = "zstack_plugins"
"""What the plugins' modules are imported below: ``zstack_plugins.cost_center.schema``."""

OFF = ".off"
"""A folder whose name ends so is left alone."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def candidates(folder: Path) -> tuple[Path, ...]:
    """What lies in the folder and is meant to be a plugin, by name; nothing where there is no folder.

    Raises:
        Conflict: the folder cannot be read.
    """
    try:
        found = sorted(folder.iterdir())
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise Conflict(f"the folder of plugins {folder} cannot be read: {error.strerror}") from error
    return tuple(path for path in found if not _is_left_alone(path))


def _is_left_alone(path: Path) -> bool:
    if path.name.startswith((".", "__")) or path.name.endswith(OFF):
        return True
    return not path.is_dir() and path.suffix != ".py"


def fault(path: Path) -> str | None:
    """Why a candidate may not be imported; None if it may."""
    if path.suffix == ".py":
        return f"a plugin is a folder: put the file into {path.with_suffix('')} as plugin.py"
    if _NAME.fullmatch(path.name) is None:
        return "its name is the plugin's and a Python package's: use small letters, digits and underscores"
    if path.is_symlink():
        return "it is a link; put the folder itself there"
    unsafe = next(_unsafe(path), None)
    if unsafe is not None:
        return unsafe
    missing = next((name for name in ("__init__.py", "plugin.py") if not (path / name).is_file()), None)
    return f"it has no {missing}; a plugin is a Python package with a plugin.py" if missing else None


def _unsafe(path: Path) -> Iterator[str]:
    for parent in reversed(path.resolve().parents):
        yield from _writable(parent, parent.lstat())
    for root, folders, files in os.walk(path):
        here = Path(root)
        yield from _writable(here, here.lstat())
        for name in (*folders, *files):
            yield from _unsafe_entry(here / name, path)


def _unsafe_entry(entry: Path, folder: Path) -> Iterator[str]:
    status = entry.lstat()
    if stat.S_ISLNK(status.st_mode):
        if not entry.resolve().is_relative_to(folder.resolve()):
            yield f"{entry} is a link out of the folder; put the file itself there"
        return
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        yield f"{entry} is neither a file nor a folder; remove it"
    yield from _writable(entry, status)


def _writable(path: Path, status: os.stat_result) -> Iterator[str]:
    """What lets somebody else change what is imported. In a sticky folder nobody can move another's files."""
    if status.st_uid not in (0, os.geteuid()):
        yield f"{path} belongs to the user {status.st_uid}, who could change what runs here; chown root {path}"
    is_sticky = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not is_sticky:
        yield f"others may write to {path}; chmod go-w {path}"


def make_importable(folder: Path, *, fresh: bool) -> None:
    """Let modules below `PACKAGE` be imported from this folder.

    Args:
        folder: the folder of plugins.
        fresh: forget what was imported before, so that a start sees the files as they are now.
    """
    path = [str(folder.resolve())]
    known = sys.modules.get(PACKAGE)
    if known is not None and not fresh and list(known.__path__) == path:
        return
    for name in [name for name in sys.modules if name == PACKAGE or name.startswith(f"{PACKAGE}.")]:
        del sys.modules[name]
    package = types.ModuleType(PACKAGE, "Plugins of third parties, from the data folder.")
    package.__path__ = path
    package.__spec__ = importlib.machinery.ModuleSpec(PACKAGE, None, is_package=True)
    sys.modules[PACKAGE] = package
    importlib.invalidate_caches()


def import_from(path: Path, module: str) -> types.ModuleType:
    """Import a module of a plugin's folder, which `make_importable` has let in and `fault` finds nothing wrong with."""
    return importlib.import_module(f"{PACKAGE}.{path.name}.{module}")
