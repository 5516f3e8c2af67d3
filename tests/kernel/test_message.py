"""Messages: the names that are derived from a declaration."""

from __future__ import annotations

from typing import Annotated

import pytest

from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.message import (
    ADMIN,
    Action,
    Create,
    Delete,
    Request,
    action_name,
    api,
    api_of,
    reply_of,
    resource_of,
    wire_name,
)
from zstack_appliance.kernel.schema import Ref, Uuid


@api("POST", "/zones", access=ADMIN)
class MakeZone(Create[Zone], frozen=True, kw_only=True):
    name: str


@api("PUT", "/zones/{uuid}/actions", access=ADMIN, name="APIShakeMsg", wire="org.small")
class ShakeZone(Action[None], frozen=True, kw_only=True):
    uuid: Annotated[Uuid, Ref(Zone)]


@api("DELETE", "/zones/{uuid}", access=ADMIN, reply=None)
class DropZone(Delete, frozen=True, kw_only=True):
    uuid: Annotated[Uuid, Ref(Zone)]


class Quiet(MakeZone, frozen=True, kw_only=True):
    """Inside the cloud only: an API declaration is not inherited."""


def test_names_follow_from_class_and_resource() -> None:
    assert wire_name(MakeZone) == "org.zstack.header.zone.APIMakeZoneMsg"
    assert wire_name(ShakeZone) == "org.small.APIShakeMsg"
    assert (action_name(MakeZone), action_name(ShakeZone)) == ("makeZone", "shake")


def test_the_resource_is_the_reply_or_what_the_uuid_names() -> None:
    assert (reply_of(MakeZone), resource_of(MakeZone)) == (Zone, Zone)
    assert resource_of(DropZone) is Zone
    assert resource_of(ShakeZone) is Zone


def test_what_is_no_api_has_no_wire_name() -> None:
    assert api_of(Quiet) is None
    with pytest.raises(TypeError, match="decorate it with @api"):
        wire_name(Quiet)

    class Bare(Request[None], frozen=True): ...

    with pytest.raises(TypeError, match="Bare is no API"):
        wire_name(Bare)
