"""How a command's answer looks between the two halves of a driver: `Done` with a reply, or `Failed`.

Pure, and used by both ends of every transport, so that a remote host differs from the local one by the
bytes' way alone. A failure crosses as text; which exception it becomes again is decided here.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from zstack_appliance.cloud.host.driver import HostNotice
from zstack_appliance.kernel.remote import Command, HostCommandFailed, reply_type

C = TypeVar("C", bound=Command[Any])
R = TypeVar("R")


class Done(msgspec.Struct, frozen=True, tag=True):
    """The host did it."""

    reply: msgspec.Raw


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The host could not do it; the text is for the operator."""

    error: str


def encode(value: Any) -> bytes:
    """A command or a notice as it travels: msgspec JSON."""
    return msgspec.json.encode(value)


def decode_command(command: type[C], body: bytes) -> C:
    """A command as it arrives.

    Raises:
        HostCommandFailed: the bytes are not such a command.
    """
    try:
        decoded: C = msgspec.json.decode(body, type=command)
    except msgspec.MsgspecError as error:
        raise HostCommandFailed(f"{command.path}: {error}") from error
    return decoded


def decode_notice(line: bytes) -> HostNotice:
    """A notice as it arrives.

    Raises:
        HostCommandFailed: the bytes are not a notice that this version knows.
    """
    try:
        notice: HostNotice = msgspec.json.decode(line, type=HostNotice)
    except msgspec.MsgspecError as error:
        raise HostCommandFailed(f"the host says what makes no sense: {error}") from error
    return notice


def done(reply: Any) -> bytes:
    """The answer of a host that did it."""
    return msgspec.json.encode(Done(msgspec.Raw(msgspec.json.encode(reply))))


def failed(error: str) -> bytes:
    """The answer of a host that could not do it."""
    return msgspec.json.encode(Failed(error))


def read_answer(command: Command[R], answer: bytes) -> R:
    """The reply in an answer.

    Raises:
        HostCommandFailed: the host says that it could not do it, or answers what nobody can read.
    """
    try:
        outcome = msgspec.json.decode(answer, type=Done | Failed)
        if isinstance(outcome, Done):
            reply: R = msgspec.json.decode(outcome.reply, type=reply_type(type(command)))
            return reply
    except msgspec.MsgspecError as error:
        raise HostCommandFailed(f"{command.path}: the host's answer makes no sense: {error}") from error
    raise HostCommandFailed(outcome.error)
