"""Fields that ZStack's APIs have and this version cannot honour: declared, and refused when they say anything.

Primitives: the mark `UNSERVED` and `unserved`. Left undeclared, such a field would be ignored without a word,
and the caller would believe that it had what it asked for.
"""

from __future__ import annotations

from collections.abc import Iterator

from zstack_appliance.kernel.errors import Fault
from zstack_appliance.kernel.message import Message
from zstack_appliance.kernel.schema import Flag, fields_of

UNSERVED = Flag("unserved")
"""Marks a field of a message that may be absent, null, false, zero or empty, and nothing else."""


def unserved(message: Message) -> Iterator[Fault]:
    """What the message asks for that this version does not serve."""
    for field in fields_of(type(message)):
        if field.marked(UNSERVED) and getattr(message, field.name):
            yield Fault(field.wire, f"field[{field.wire}] is not served by this version; leave it out")
