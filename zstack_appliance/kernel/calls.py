"""What can be said of any API call: `acted_on`, `changes_something` and `redacted`."""

from __future__ import annotations

import functools
import re
from typing import Any

import msgspec

from zstack_appliance.kernel.message import Read, Request, api_of
from zstack_appliance.kernel.schema import SECRET, fields_of


@functools.cache
def acted_on(message: type[Request[Any]]) -> str | None:
    """The field (wire name) whose resource an API changes: the first one that its path names.

    ``/vm-instances/{vmInstanceUuid}/l3-networks/{l3NetworkUuid}`` changes the VM and merely uses the network,
    which may be shared. Reading changes nothing.
    """
    declared = api_of(message)
    if declared is None or declared.method == "GET":
        return None
    variables = re.findall(r"\{(\w+)\}", declared.path)
    return declared.rename.get(variables[0], variables[0]) if variables else None


def changes_something(message: type[Request[Any]]) -> bool:
    """Whether a call is worth an audit. ZStack's clients ask some questions with PUT."""
    declared = api_of(message)
    return declared is not None and declared.method != "GET" and not issubclass(message, Read)


def redacted(message: Request[Any]) -> str:
    """A message as JSON without the fields that are marked `SECRET`."""
    secret = {field.wire for field in fields_of(type(message)) if field.marked(SECRET)}
    plain = {key: value for key, value in msgspec.to_builtins(message).items() if value is not None}
    return msgspec.json.encode({key: "*" * 6 if key in secret else value for key, value in plain.items()}).decode()
