"""What a zone can be asked."""

from __future__ import annotations

from typing import Annotated

import msgspec

from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.message import ADMIN, Action, Create, Delete, StateEvent, Update, api
from zstack_appliance.kernel.schema import NAME_PATTERN, Ref, Text, Uuid

ZoneName = Annotated[str, msgspec.Meta(max_length=255, pattern=NAME_PATTERN)]


@api("POST", "/zones", access=ADMIN)
class CreateZone(Create[Zone], frozen=True, kw_only=True):
    """Make a zone, enabled and empty."""

    name: ZoneName
    description: Text | None = None
    is_default: bool = False
    """Make it the default, in place of the zone that is it now."""


@api("PUT", "/zones/{uuid}/actions", access=ADMIN)
class UpdateZone(Update[Zone], frozen=True, kw_only=True):
    """Rename a zone, or make it the default."""

    uuid: Annotated[Uuid, Ref(Zone)]
    name: ZoneName | None = None
    description: Text | None = None
    is_default: bool | None = None


@api("PUT", "/zones/{uuid}/actions", access=ADMIN)
class ChangeZoneState(Action[Zone], frozen=True, kw_only=True):
    """Enable or disable a zone."""

    uuid: Annotated[Uuid, Ref(Zone)]
    state_event: StateEvent


@api("DELETE", "/zones/{uuid}", access=ADMIN, reply=None)
class DeleteZone(Delete, frozen=True, kw_only=True):
    """Delete a zone."""

    uuid: Annotated[Uuid, Ref(Zone)]
