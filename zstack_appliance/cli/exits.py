"""How a command ends: `Exit`, the exit statuses that scripts may rely on, and the errors that carry them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

import click


class Exit(enum.IntEnum):
    """The exit statuses; ``--help`` prints `EXIT_HELP`."""

    OK = 0
    FAILED = 1
    USAGE = 2
    FORBIDDEN = 3
    NOT_FOUND = 4
    UNREACHABLE = 5


EXIT_HELP = """\
\b
Exit status:
  0  done
  1  the operation failed; the reason is on standard error
  2  the command line is wrong
  3  not logged in, or not allowed
  4  something that was named does not exist
  5  the appliance cannot be reached
"""

_BY_CODE = {
    "ID.1000": Exit.FORBIDDEN,
    "ID.1001": Exit.FORBIDDEN,
    "ID.1002": Exit.FORBIDDEN,
    "SYS.1003": Exit.NOT_FOUND,
}
"""ZStack's error codes that have an exit status of their own; all others mean that the operation failed."""


class CliError(click.ClickException):
    """Ends the command with a text on standard error and this exit status."""

    def __init__(self, text: str, status: Exit = Exit.FAILED) -> None:
        super().__init__(text)
        self.exit_code = int(status)  # type: ignore[misc]  # click reads it from the instance, and types it otherwise


class ApiError(CliError):
    """The appliance refused a call, or a call failed."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        self.code = str(error.get("code") or "")
        text = error.get("details") or error.get("description") or "the appliance gave no reason"
        cause = error.get("cause")
        if isinstance(cause, Mapping) and cause.get("details") not in (None, error.get("details")):
            text = f"{text}\n  because: {cause['details']}"
        super().__init__("\n".join([f"{text} ({self.code})", *_more(error)]), _BY_CODE.get(self.code, Exit.FAILED))


def _more(error: Mapping[str, Any]) -> list[str]:
    """The other wrong fields, and why each candidate was passed over."""
    opaque = error.get("opaque") or {}
    fields = [f"  {name}: {text}" for name, text in (opaque.get("fields") or {}).items()]
    rejected = [
        f"  {row.get('name') or row.get('host') or row.get('primaryStorage')}: {row.get('reason')}"
        for row in opaque.get("rejections") or ()
    ]
    return [*(fields if len(fields) > 1 else []), *rejected]


def usage(text: str) -> CliError:
    """The command line is wrong."""
    return CliError(text, Exit.USAGE)
