"""Which shared libraries a set of programs needs, from what the programs themselves say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from images import elf
from images.tree import Entry, File, Tree, merged, resolve

_FOLDERS = ("usr/lib/x86_64-linux-gnu", "usr/lib")


class MissingFileError(LookupError):
    """A program or library that no listed package has."""


def with_libraries(wanted: Iterable[str], shelf: Mapping[str, Entry]) -> Tree:
    """The wanted files and, transitively, the libraries and the loader that they name.

    A library is stored as a plain file under its soname, so that version links need not be kept.

    Args:
        wanted: paths in `shelf`.
        shelf: everything the packages have.

    Raises:
        MissingFileError: the text names the file and what asked for it.
    """
    chosen: Tree = {}
    waiting = [(path, "the recipe's files") for path in wanted]
    while waiting:
        path, reason = waiting.pop()
        if path in chosen:
            continue
        try:
            file = resolve(shelf, path)
        except LookupError:
            raise _missing(path, reason) from None
        chosen[path] = file
        waiting += [(found, path) for found in _asked_for(path, file, shelf)]
    return chosen


def _asked_for(path: str, file: File, shelf: Mapping[str, Entry]) -> list[str]:
    if not elf.is_elf(file.content):
        return []
    facts = elf.read(file.content)
    found = [] if facts.interpreter is None else [merged(facts.interpreter)]
    for soname in facts.needed:
        places = [f"{folder}/{soname}" for folder in _FOLDERS]
        place = next((place for place in places if place in shelf), None)
        if place is None:
            raise _missing(soname, path)
        found.append(place)
    return found


def _missing(what: str, reason: str) -> MissingFileError:
    return MissingFileError(
        f"{what}, asked for by {reason}, is in none of the recipe's packages; add the package that has it "
        f"(https://packages.debian.org, search the contents)"
    )
