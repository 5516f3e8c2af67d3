"""What can be asked of tags."""

from __future__ import annotations

from typing import Annotated

import msgspec

from zstack_appliance.kernel.message import ANY, Delete, Hook, Request, Update, api
from zstack_appliance.kernel.schema import Record, Ref, Text, Uuid
from zstack_appliance.kernel.tag import SystemTagRow, UserTag

_WIRE = "org.zstack.header.tag"


@api("POST", "/user-tags", access=ANY)
class CreateUserTag(Request[UserTag], frozen=True, kw_only=True):
    """Put free text on a resource that the caller owns."""

    resource_type: str
    """The resource's wire type, such as ``VmInstanceVO``."""
    resource_uuid: Uuid
    tag: Text


@api("POST", "/system-tags", access=ANY)
class CreateSystemTag(Request[SystemTagRow], frozen=True, kw_only=True):
    """Put a system tag on a resource that the caller owns; it must match a declared pattern."""

    resource_type: str
    resource_uuid: Uuid
    tag: Text


@api("POST", "/system-tags/{resourceUuid}/tags", access=ANY, reply="inventories", wire=_WIRE)
class CreateSystemTags(Request[tuple[SystemTagRow, ...]], frozen=True, kw_only=True):
    """Put several system tags on a resource that the caller owns, all or none."""

    resource_type: str
    resource_uuid: Uuid
    tags: Annotated[tuple[Text, ...], msgspec.Meta(min_length=1)]


@api("PUT", "/system-tags/{uuid}/actions", access=ANY)
class UpdateSystemTag(Update[SystemTagRow], frozen=True, kw_only=True):
    """Change what a system tag says; its pattern stays."""

    uuid: Annotated[Uuid, Ref(SystemTagRow)]
    tag: Text


@api("DELETE", "/tags/{uuid}", access=ANY, wire=_WIRE, reply=None)
class DeleteTag(Delete, frozen=True, kw_only=True):
    """Take a tag of either kind off its resource."""


class BeforeSystemTag(Hook[None], frozen=True, kw_only=True):
    """A system tag of a good pattern is about to be put on a row that exists, or changed. An error refuses it.

    A resource that is made with tags judges them itself.
    """

    row: Record
    tag: str
