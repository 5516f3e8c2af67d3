"""What can be asked of tags."""

from __future__ import annotations

from typing import Annotated

from zstack_appliance.kernel.message import ANY, Delete, Request, Update, api
from zstack_appliance.kernel.schema import Ref, Text, Uuid
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


@api("PUT", "/system-tags/{uuid}/actions", access=ANY)
class UpdateSystemTag(Update[SystemTagRow], frozen=True, kw_only=True):
    """Change what a system tag says; its pattern stays."""

    uuid: Annotated[Uuid, Ref(SystemTagRow)]
    tag: Text


@api("DELETE", "/tags/{uuid}", access=ANY, wire=_WIRE, reply=None)
class DeleteTag(Delete, frozen=True, kw_only=True):
    """Take a tag of either kind off its resource."""
