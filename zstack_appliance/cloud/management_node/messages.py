"""What can be asked of management nodes without a session."""

from __future__ import annotations

import msgspec

from zstack_appliance.kernel.message import ANY, Read, api

WIRE = "org.zstack.header.managementnode"


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """ZStack's API level."""

    version: str


class CurrentTime(msgspec.Struct, frozen=True, kw_only=True):
    """The node's clock; the keys are ZStack's."""

    current_time: dict[str, int] = msgspec.field(name="currentTime")


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing: that there is an answer says that the node is ready."""


@api("PUT", "/management-nodes/actions", access=ANY, sync=True, session=False, reply=None, wire=WIRE)
class GetVersion(Read[Version], frozen=True, kw_only=True):
    """Which level of ZStack's API is served."""


@api("PUT", "/management-nodes/actions", access=ANY, sync=True, session=False, reply=None, wire=WIRE)
class GetCurrentTime(Read[CurrentTime], frozen=True, kw_only=True):
    """What time the node has."""


@api(
    "GET",
    "/management-nodes/ready",
    access=ANY,
    sync=True,
    session=False,
    reply=None,
    wire="org.zstack.header.apimediator",
)
class IsReadyToGo(Read[Ready], frozen=True, kw_only=True):
    """Whether the node takes calls."""

    management_node_id: str | None = None
