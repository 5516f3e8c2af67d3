"""Tags: free text that people put on resources, and patterns by which plugins change behaviour.

Primitives: `SystemTag` (a declared pattern such as ``hostname::{hostname}``), `UserTag` and `SystemTagRow`
(the stored rows).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from zstack_appliance.kernel.errors import Fault
from zstack_appliance.kernel.schema import COMPANION, Record, Text, Uuid, resource


@dataclass(frozen=True)
class SystemTag:
    """A pattern that a plugin understands.

    Args:
        target: the wire type that it goes on, such as ``VmInstanceVO``.
        pattern: literal text with ``{token}`` places, such as ``staticIp::{l3NetworkUuid}::{ip}``.
        description: one sentence: what it changes.
        check: judges the tokens; None means that every text is good.
        inherent: made by the cloud itself; callers can neither add nor delete it.
        single: a resource carries at most one such tag, so that a new one replaces it.
    """

    target: str
    pattern: str
    description: str
    check: Callable[[dict[str, str]], Fault | None] | None = None
    inherent: bool = False
    single: bool = True

    def tokens(self, tag: str) -> dict[str, str] | None:
        """The tokens of a tag that has this pattern; None for any other tag."""
        match = _compiled(self.pattern).fullmatch(tag)
        return match.groupdict() if match else None

    def render(self, **tokens: str) -> str:
        """The tag with these tokens."""
        return self.pattern.format(**tokens)


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", pattern)
    # The last token takes everything to the end, for tags that carry free text such as user data.
    last = len(parts) - 2
    regex = "".join(
        re.escape(part) if index % 2 == 0 else f"(?P<{part}>{'.+' if index == last else '.+?'})"
        for index, part in enumerate(parts)
    )
    return re.compile(regex, re.DOTALL)


@resource(wire="org.zstack.header.tag", path="/user-tags", owned=True, indexes=(("resource_uuid",), ("tag",)))
class UserTag(Record, frozen=True, kw_only=True):
    """Free text on a resource, for people to group and find by."""

    resource_uuid: Annotated[Uuid, COMPANION]
    resource_type: str
    tag: Text
    type: str
    tag_pattern_uuid: Uuid | None = None


@resource(
    wire="org.zstack.header.tag",
    path="/system-tags",
    owned=True,
    table="system_tag",
    vo="SystemTagVO",
    inventory="SystemTagInventory",
    indexes=(("resource_uuid",), ("tag",)),
)
class SystemTagRow(Record, frozen=True, kw_only=True):
    """A tag that matched a declared pattern when it was set."""

    resource_uuid: Annotated[Uuid, COMPANION]
    resource_type: str
    tag: Text
    type: str
    inherent: bool
