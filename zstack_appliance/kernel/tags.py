"""Tags at work: which are allowed, and how they come onto a row in the commit that makes it.

Primitives: `TagPatterns` (every declared pattern, and the resources that tags go on), `Tagging` (the tag rows
of one new resource, drawn before its commit), `draft_tags` and `attach`. Tags go with
their row, as all rows do that name it by a field marked `COMPANION`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from zstack_appliance.kernel.config import Configs
from zstack_appliance.kernel.errors import Fault, InvalidArgument, refuse
from zstack_appliance.kernel.message import Create, Request, resource_of
from zstack_appliance.kernel.resource_config import AT_CREATE, ResourceConfig, at_create_fault, draft_config
from zstack_appliance.kernel.schema import Record, describe, root_of
from zstack_appliance.kernel.tag import SystemTag, SystemTagRow, UserTag

if TYPE_CHECKING:
    from zstack_appliance.kernel.cloud import Cloud
    from zstack_appliance.kernel.store import Tx

USER = "User"
SYSTEM = "System"


class Tagging(msgspec.Struct, frozen=True, kw_only=True):
    """The tag rows of one resource. A flow's context can carry it from the draft to the commit."""

    user: tuple[UserTag, ...] = ()
    system: tuple[SystemTagRow, ...] = ()
    configs: tuple[ResourceConfig, ...] = ()
    """What tags of the pattern `AT_CREATE` stand for."""


class TagPatterns:
    """Judges system tags by the declared patterns; the portal asks it before anything is done.

    Args:
        patterns: of every plugin.
        resources: every registered resource; tags name them by their wire type, such as ``ZoneVO``.
        configs: the settings that a tag may give a new resource a value of its own for.
    """

    def __init__(
        self, patterns: Iterable[SystemTag], resources: Iterable[type[Record]], configs: Configs | None = None
    ) -> None:
        self._configs = configs or Configs(())
        self._patterns: dict[str, list[SystemTag]] = {}
        for pattern in patterns:
            self._patterns.setdefault(pattern.target, []).append(pattern)
        self._resources = {describe(cls).vo: cls for cls in resources}

    def check(self, message: Request[Any], cloud: Cloud) -> None:
        """Judge the tags that a request brings for the resource that it makes or acts on.

        Raises:
            InvalidArgument: no pattern accepts a system tag, or tag patterns are named, which nobody serves.
        """
        if getattr(message, "tag_uuids", None):
            refuse(Fault("tagUuids", "field[tagUuids] names tag patterns, which this version does not have"))
        tags = getattr(message, "system_tags", None)
        if not tags:
            return
        target = resource_of(type(message))
        if target is None:
            raise InvalidArgument("system tags go on a resource, and this call is about none; leave them out")
        new = isinstance(message, Create)
        refuse(*(self.fault(target, tag, new=new) for tag in tags))

    def resource(self, vo: str) -> type[Record]:
        """The resource with a wire type.

        Raises:
            InvalidArgument: no tag can go on anything of that name.
        """
        try:
            return self._resources[vo]
        except KeyError:
            raise InvalidArgument(f"no resource type[{vo}] takes tags; use a name such as VmInstanceVO") from None

    def match(self, target: type[Record], tag: str) -> SystemTag | None:
        """The pattern of a resource, or of the one it is a sub-type of, that a tag has."""
        cls: type[Record] | None = target
        while cls is not None:
            for pattern in self._patterns.get(describe(cls).vo, ()):
                if pattern.tokens(tag) is not None:
                    return pattern
            cls = describe(cls).base
        return None

    def fault(self, target: type[Record], tag: str, *, new: bool = False) -> Fault | None:
        """What is wrong with a system tag that a caller wants on a resource, or None.

        Args:
            target: the resource's class.
            tag: the text.
            new: whether the resource is being made by the call that brings the tag.
        """
        if AT_CREATE.tokens(tag) is not None:
            if new:
                return at_create_fault(self._configs, target, tag)
            return Fault(
                "systemTags",
                f"system tag[{tag}] goes with the call that makes a resource; to change one"
                " that exists, update its resource configuration",
            )
        pattern = self.match(target, tag)
        vo = describe(target).vo
        if pattern is None:
            return Fault("systemTags", f"no system tag matches[{tag}] for resourceType[{vo}]; check its spelling")
        if pattern.inherent:
            return Fault("systemTags", f"system tag[{pattern.pattern}] is set by the cloud itself; leave it out")
        return None if pattern.check is None else pattern.check(pattern.tokens(tag) or {})


def draft_tags(message: Request[Any], row: Record, cloud: Cloud) -> Tagging:
    """The tag rows that a create message asks for on its new row. A tag that is given twice counts once."""
    texts = _texts(message, "system_tags")
    # By path, so that the last of two values for one setting counts.
    wished = {f"{found['category']}.{found['name']}": found["value"] for found in map(AT_CREATE.tokens, texts) if found}
    return Tagging(
        user=tuple(user_tag(row, tag, cloud) for tag in _texts(message, "user_tags")),
        system=tuple(system_tag(row, tag, cloud) for tag in texts if AT_CREATE.tokens(tag) is None),
        configs=tuple(
            draft_config(cloud.configs.declaration(path), row, value, cloud.entropy.uuid())
            for path, value in wished.items()
        ),
    )


def attach(tx: Tx, tagging: Tagging) -> None:
    """Insert the tags, in the commit that inserts the row that they go on."""
    for row in (*tagging.user, *tagging.system, *tagging.configs):
        tx.insert(row)


def user_tag(row: Record, tag: str, cloud: Cloud) -> UserTag:
    """A new user tag for a row; both dates are set when it is inserted."""
    return UserTag(**_columns(row, tag, cloud), type=USER)


def system_tag(row: Record, tag: str, cloud: Cloud, *, inherent: bool = False) -> SystemTagRow:
    """A new system tag for a row; both dates are set when it is inserted."""
    return SystemTagRow(**_columns(row, tag, cloud), type=SYSTEM, inherent=inherent)


def _columns(row: Record, tag: str, cloud: Cloud) -> dict[str, Any]:
    return {
        "uuid": cloud.entropy.uuid(),
        "create_date": 0,
        "last_op_date": 0,
        "resource_uuid": row.uuid,
        "resource_type": root_of(type(row)).vo,
        "tag": tag,
    }


def _texts(message: Request[Any], field: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(getattr(message, field, None) or ()))
