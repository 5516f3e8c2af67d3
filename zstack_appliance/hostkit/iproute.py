"""`ip` as host halves drive it: many questions, or many changes, in one process.

Primitives: `ip_show` (questions answered as values), `ip_apply` (changes, in order, up to the first that
fails), `in_namespace` (any program, inside a named network namespace), and the rows `Link`, `Address`,
`Route` that the answers decode to. Starting a process costs more than most of what `ip` then does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from zstack_appliance.kernel.remote import HostCommandFailed, Runtime

NAMESPACES = Path("/run/netns")
"""Where `ip netns` keeps the names of network namespaces."""


class Address(msgspec.Struct, frozen=True):
    """An address of an interface."""

    family: str
    local: str
    prefixlen: int
    scope: str = ""

    @property
    def cidr(self) -> str:
        """The address with its prefix length, such as ``192.168.0.1/24``."""
        return f"{self.local}/{self.prefixlen}"


class LinkInfo(msgspec.Struct, frozen=True):
    """What kind of device an interface is; only `ip -details` says."""

    info_kind: str | None = None


class Link(msgspec.Struct, frozen=True):
    """A network interface, with its addresses when they were asked for."""

    ifname: str
    flags: tuple[str, ...] = ()
    mtu: int = 0
    master: str | None = None
    address: str = ""
    ifalias: str | None = None
    linkinfo: LinkInfo = LinkInfo()
    addr_info: tuple[Address, ...] = ()

    @property
    def up(self) -> bool:
        """Whether it was told to be up; whether it has a carrier is another matter."""
        return "UP" in self.flags

    @property
    def ipv4(self) -> frozenset[str]:
        """Its IPv4 addresses with their prefix lengths."""
        return frozenset(one.cidr for one in self.addr_info if one.family == "inet")


class Route(msgspec.Struct, frozen=True):
    """A row of a routing table; `dst` is ``default``, an address or a network."""

    dst: str
    gateway: str | None = None
    dev: str | None = None


class Forwarding(msgspec.Struct, frozen=True):
    """Whether packets that arrive on an interface are forwarded; ``all`` and ``default`` are rows too."""

    interface: str
    forwarding: bool = False


def in_namespace(namespace: str | None, argv: Sequence[str]) -> list[str]:
    """The argument list that runs a program inside a network namespace; None is the host's own.

    `nsenter` changes the network alone; `ip netns exec` would remount /sys as well.
    """
    if namespace is None:
        return list(argv)
    return ["nsenter", f"--net={NAMESPACES / namespace}", *argv]


async def ip_show(
    runtime: Runtime, questions: Sequence[str], *, namespace: str | None = None, details: bool = False
) -> list[list[dict[str, Any]]]:
    """Ask `ip` several things at once.

    Args:
        runtime: runs it.
        questions: such as ``link show type veth``. One that prints nothing where there is nothing, as
            ``netns list`` does, must come last.
        namespace: network namespace to ask in.
        details: have links say of what kind they are.

    Returns:
        The rows of each answer, in the order of the questions.

    Raises:
        HostCommandFailed: a question is about something that does not exist, or the namespace does not.
    """
    options = [*_where(namespace), "-json", *(["-details"] if details else [])]
    answered = await runtime.run(["ip", *options, "-batch", "-"], stdin=_lines(questions))
    answers = _documents(answered.stdout)
    return answers + [[] for _ in range(len(questions) - len(answers))]


async def ip_apply(runtime: Runtime, changes: Sequence[str], *, namespace: str | None = None) -> None:
    """Make several changes, in order, up to the first that fails. No changes, no process.

    Args:
        runtime: runs it.
        changes: such as ``link set dev lan up``.
        namespace: network namespace to change.

    Raises:
        HostCommandFailed: one failed; those before it are made, those after it are not.
    """
    if not changes:
        return
    done = await runtime.run(["ip", *_where(namespace), "-batch", "-"], stdin=_lines(changes), check=False)
    if done.returncode != 0:
        raise HostCommandFailed(_failure(changes, done.stderr))


def links(rows: Iterable[dict[str, Any]]) -> dict[str, Link]:
    """Rows of ``link show`` or ``addr show`` by interface name."""
    return {row["ifname"]: msgspec.convert(row, Link) for row in rows}


def routes(rows: Iterable[dict[str, Any]]) -> list[Route]:
    """Rows of ``route show``."""
    return [msgspec.convert(row, Route) for row in rows]


def forwarding(rows: Iterable[dict[str, Any]]) -> dict[str, bool]:
    """Rows of ``netconf show`` for IPv4: whether an interface forwards, by name."""
    settings = (msgspec.convert(row, Forwarding) for row in rows if row["family"] == "inet")
    return {setting.interface: setting.forwarding for setting in settings}


def _where(namespace: str | None) -> list[str]:
    return [] if namespace is None else ["-netns", namespace]


def _lines(commands: Sequence[str]) -> str:
    return "".join(f"{command}\n" for command in commands)


def _documents(text: str) -> list[list[dict[str, Any]]]:
    """The JSON arrays in a text, one behind the other."""
    decoder = json.JSONDecoder()
    found = []
    text = text.strip()
    while text:
        rows, end = decoder.raw_decode(text)
        # Some versions print an empty object for each row that a filter left out.
        found.append([row for row in rows if row])
        text = text[end:].lstrip()
    return found


def _failure(changes: Sequence[str], stderr: str) -> str:
    """Name the change that failed: `ip` itself gives its line number only."""
    said, _, line = stderr.strip().partition("Command failed -:")
    if line.isdigit() and 0 < int(line) <= len(changes):
        return f"ip {changes[int(line) - 1]} failed: {said.strip() or 'it gave no reason'}"
    return f"ip failed: {stderr.strip() or 'it gave no reason'}"
