"""How the two halves of a driver see each other while a command runs.

Primitives: `HostLink` (what the management half sends commands through), `Report` (how far a long command
has come), `ReportingRuntime` (a host's runtime for one command that can say so).
"""

from __future__ import annotations

from typing import Protocol

from zstack_appliance.kernel.remote import Command, Reply, Runtime


class Report(Protocol):
    """Receives progress. It never waits and never raises, so that work may call it as often as it likes."""

    def __call__(self, fraction: float | None, text: str) -> None:
        """Say how far the work is.

        Args:
            fraction: from 0 to 1; None while the total is unknown.
            text: for the operator, such as ``120 of 600 MiB``.
        """


class ReportingRuntime(Runtime, Protocol):
    """A host's runtime as one command sees it: what it reports travels back before its reply."""

    def report(self, fraction: float | None, text: str) -> None:
        """Say how far the command is; see `Report`."""


class HostLink(Protocol):
    """One host, as the management half of a driver reaches it."""

    async def ask(self, command: Command[Reply], *, report: Report | None = None) -> Reply:
        """Send a command and wait for its reply.

        Args:
            command: safe to repeat, so the transport may send it again after a lost answer.
            report: called in this task's loop for each progress line that comes back.

        Raises:
            HostCommandFailed: the host said no; the text is for the operator.
            HostUnreachable: no answer came.
        """
