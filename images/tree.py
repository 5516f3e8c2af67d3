"""A file system in memory: what is taken from packages, laid over one another, and written into an image.

Primitives: `File`, `Link`, `Folder`, and `Tree`, which maps relative POSIX paths to them.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class File:
    """A regular file, owned by root."""

    content: bytes
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link."""

    target: str


@dataclass(frozen=True, slots=True)
class Folder:
    """A directory, owned by root."""

    mode: int = 0o755


Entry: TypeAlias = File | Link | Folder
Tree: TypeAlias = dict[str, Entry]
"""Paths are relative, without a leading slash, and below ``usr`` where Debian's merged /usr has them."""

_MERGED = ("bin", "sbin", "lib", "lib64")
MERGED_LINKS: Mapping[str, Entry] = {name: Link(f"usr/{name}") for name in _MERGED}
"""The links that a root file system needs for paths such as /bin/sh."""

_MAX_LINKS = 16


def merged(path: str) -> str:
    """The path under merged /usr: ``./lib/x`` and ``/lib/x`` become ``usr/lib/x``."""
    plain = posixpath.normpath(path).lstrip("/")
    top = plain.split("/", 1)[0]
    return f"usr/{plain}" if top in _MERGED else plain


def resolve(tree: Mapping[str, Entry], path: str) -> File:
    """The file that `path` names in `tree`, through symbolic links.

    Raises:
        LookupError: nothing is there, a link leads nowhere, or it is a folder.
    """
    at = path
    for _ in range(_MAX_LINKS):
        entry = tree.get(at)
        if isinstance(entry, File):
            return entry
        if not isinstance(entry, Link):
            break
        at = merged(posixpath.join("/", posixpath.dirname(at), entry.target))
    raise LookupError(f"no file {path}")


def with_parents(tree: Mapping[str, Entry]) -> Tree:
    """The tree sorted by path, with every missing parent folder, so that it can be written in one pass."""
    whole: Tree = {}
    for path in tree:
        parent = posixpath.dirname(path)
        while parent:
            whole.setdefault(parent, Folder())
            parent = posixpath.dirname(parent)
    whole.update(tree)
    return dict(sorted(whole.items()))


def with_modes(tree: Mapping[str, Entry], modes: Mapping[str, int]) -> Tree:
    """The tree with other permission bits on some paths.

    Raises:
        LookupError: a path is not in the tree, or it is a link, which has no mode of its own.
    """
    changed = dict(tree)
    for path, mode in modes.items():
        match changed.get(path):
            case File() | Folder() as entry:
                changed[path] = replace(entry, mode=mode)
            case _:
                raise LookupError(f"no file or folder {path} to set the mode of")
    return changed


def read_folder(folder: Path) -> Tree:
    """A folder of the source tree; of its modes only "executable" counts, as it does in git."""
    tree: Tree = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            tree[name] = Link(str(path.readlink()))
        elif path.is_dir():
            tree[name] = Folder()
        else:
            executable = path.stat().st_mode & 0o111
            tree[name] = File(path.read_bytes(), 0o755 if executable else 0o644)
    return tree
