"""The declarations as the command line sees them: `nouns`, `apis`, and how both are called here.

They are read from the ``schema`` and ``messages`` modules alone: no handler is imported, so that the list
of commands costs 40 ms and no more.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator
from typing import Any

from zstack_appliance.cli.exits import CliError, usage
from zstack_appliance.cli.local_plugins import modules_of_others, per_folder
from zstack_appliance.kernel.edges import query_name
from zstack_appliance.kernel.message import Request, api_of, wire_name
from zstack_appliance.kernel.schema import Field, Record, describe, root_of

PACKAGE = "zstack_appliance.cloud"
KERNEL_SCHEMAS = ("zstack_appliance.kernel.tag", "zstack_appliance.kernel.config")
JOB_MODULE = "zstack_appliance.kernel.job"
"""The kernel's own resources that have a path."""

SHORT = {"vm": "vm-instance", "offering": "instance-offering", "nic": "vm-nic"}
"""Short names of what is typed most."""


@per_folder
def resources() -> tuple[type[Record], ...]:
    """Every declared resource but the kernel's journal, ordered by the names that queries use."""
    return tuple(sorted({*_in_schemas(), importlib.import_module(JOB_MODULE).Job}, key=query_name))


@per_folder
def noun_names() -> tuple[str, ...]:
    """What every resource that can be queried is called on the command line, from the schemas alone."""
    return tuple(sorted({*(kebab(query_name(cls)) for cls in _in_schemas() if _is_noun(cls)), "job"}))


@per_folder
def nouns() -> dict[str, type[Record]]:
    """Command name to resource, for every resource that can be queried."""
    return {kebab(query_name(cls)): cls for cls in resources() if _is_noun(cls)}


@per_folder
def _in_schemas() -> tuple[type[Record], ...]:
    modules = [*(importlib.import_module(name) for name in KERNEL_SCHEMAS), *_modules("schema")]
    return tuple(cls for module in modules for cls in _of(module, Record) if _is_declared(cls))


def _is_declared(cls: type[Record]) -> bool:
    try:
        describe(cls)
    except TypeError:
        return False
    return True


def _is_noun(cls: type[Record]) -> bool:
    return describe(cls).base is None and path_of(cls) is not None


@per_folder
def apis() -> tuple[type[Request[Any]], ...]:
    """Every API, ordered by name."""
    found = (cls for module in _modules("messages") for cls in _of(module, Request) if api_of(cls) is not None)
    return tuple(sorted(set(found), key=lambda cls: cls.__name__))


def find_api(name: str) -> type[Request[Any]]:
    """The API that a person means: ``CreateZone``, ``APICreateZoneMsg`` or the whole Java class.

    Raises:
        CliError: there is none; the text names what comes close.
    """
    known: dict[str, type[Request[Any]]] = {}
    for cls in apis():
        full = wire_name(cls)
        simple = full.rpartition(".")[2]
        for alias in (full, simple, simple.removeprefix("API").removesuffix("Msg"), cls.__name__):
            known[alias.lower()] = cls
    found = known.get(name.lower())
    if found is None:
        raise unknown("API", name, [cls.__name__ for cls in apis()])
    return found


def find_resource(name: str) -> type[Record]:
    """The resource that a person means: ``VmInstance``, ``QueryVmInstance``, ``vm-instance`` or ``vm``.

    Raises:
        CliError: there is none; the text names what comes close.
    """
    known: dict[str, type[Record]] = {}
    for cls in resources():
        for alias in (query_name(cls), f"Query{query_name(cls)}", cls.__name__, kebab(query_name(cls))):
            known[alias.lower()] = cls
    for short, long in SHORT.items():
        if long in known:
            known.setdefault(short, known[long])
    found = known.get(name.lower())
    if found is None:
        raise unknown("resource", name, [query_name(cls) for cls in resources()])
    return found


def path_of(cls: type[Record]) -> str | None:
    """The REST path that a resource is queried at; a sub-type's is its base's."""
    return describe(cls).options.path or root_of(cls).options.path


def unknown(kind: str, name: str, known: Iterable[str]) -> CliError:
    """Says that there is no such thing, and what may have been meant."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = [by_lower[found] for found in difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)]
    return usage(f"no {kind} [{name}]" + (f"; did you mean {' or '.join(close)}?" if close else ""))


def kebab(name: str) -> str:
    """``L3NetworkDns`` and ``l3NetworkDns`` to ``l3-network-dns``."""
    return "-".join(word.lower() for word in words(name))


def words(name: str) -> list[str]:
    """The words of a camel-case name; a digit belongs to the word before it, as in ``L3``."""
    return re.findall(r"[A-Z]+(?![a-z])\d*|[A-Za-z][a-z]*\d*", name)


def option_name(field: Field) -> str:
    """What a parameter is called as an option: ``imageUuid`` is ``image``, a list in the singular."""
    name = kebab(field.wire)
    if field.wire.endswith("Uuids"):
        return name.removesuffix("-uuids")
    if field.ref is not None and field.wire.endswith("Uuid"):
        return name.removesuffix("-uuid")
    return name.removesuffix("s") if field.is_json and not isinstance(field.type, type(dict)) else name


def _modules(kind: str) -> Iterator[Any]:
    root = importlib.import_module(PACKAGE)
    for module in pkgutil.walk_packages(root.__path__, f"{PACKAGE}."):
        if module.name.rpartition(".")[2] == kind:
            yield importlib.import_module(module.name)
    yield from modules_of_others(kind)


def _of(module: Any, base: type) -> Iterator[Any]:
    """The classes that a module itself declares below a base."""
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__:
            yield value
