"""Commands to a host: what the management half of a driver asks, and what the host half answers with.

Primitives: `Command` (a typed request whose reply type is in its base), `Notice` (something a host says
unasked), `Runtime` (what a host half may use of its host), `HostSide` (the command handlers that one
driver folder brings, for real hosts and for simulated ones).

A transport encodes commands and replies even inside one process, so that nothing unserialisable slips
through and a remote host differs from the local one by its transport alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar, get_args

import msgspec

Reply = TypeVar("Reply")


class Command(msgspec.Struct, Generic[Reply], frozen=True, kw_only=True, rename="camel"):
    """A request to one host. A subclass names its reply: ``class Ping(Command[Pong])``.

    Every command is safe to repeat: it describes the state wanted, so a second arrival after a lost
    answer finds the work done and says so.
    """

    path: ClassVar[str]
    """Where the agent serves it below ``/v1/``, such as ``vm/start``."""


class Notice(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag=True):
    """Something that happened on a host without being asked for, such as a guest that powered off."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A subprocess that ended: its exit status and what it wrote (both bounded by the runner)."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str


class Runtime(Protocol):
    """What a host half may use of the host that it runs on."""

    @property
    def instance(self) -> str:
        """Six hexadecimal digits that mark everything this appliance makes on the host."""

    @property
    def data(self) -> Path:
        """The appliance's own folder on this host."""

    async def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = 60.0,
        stdin: str | None = None,
        check: bool = True,
        memory_limit: int | None = None,
        private_network: bool = False,
    ) -> Completed:
        """Run one program to its end with a cleaned environment and no shell.

        Args:
            argv: program and arguments.
            timeout: seconds until the process group is killed.
            stdin: text to feed; none means ``/dev/null``.
            check: raise when the exit status is not 0.
            memory_limit: address-space limit in bytes for untrusted inputs.
            private_network: start it in an empty network namespace.

        Raises:
            HostCommandFailed: the program could not start, timed out, or failed while ``check`` is set.
        """


class HostCommandFailed(Exception):
    """A host could not do what a command asked. The text is for the operator.

    You get it from `Runtime.run` and from host halves; the transport carries it across as text. You do
    not get it when a host cannot be reached: that is `HostUnreachable`.
    """


class HostUnreachable(Exception):
    """No answer came from a host, so whether the command took effect is unknown until it reconnects."""


HostHandler = Callable[[Any, Any], Awaitable[Any]]
"""``async def handler(command, runtime) -> reply``; the runtime is the driver's own richer type."""


@dataclass(frozen=True)
class HostSide:
    """The host half of one driver folder: handlers by command, and their simulated twins."""

    real: Mapping[type[Command[Any]], HostHandler] = field(default_factory=dict)
    simulated: Mapping[type[Command[Any]], HostHandler] = field(default_factory=dict)


def reply_type(command: type[Command[Any]]) -> Any:
    """The type that a command's answer decodes to, read from its ``Command[...]`` base."""
    for base in getattr(command, "__orig_bases__", ()):
        arguments = get_args(base)
        # A class that names none inherits the bases of `Command` itself, whose argument is a variable.
        if arguments and not isinstance(arguments[0], TypeVar):
            return arguments[0]
    raise TypeError(f"{command.__name__} does not name its reply: derive it from Command[Reply]")
