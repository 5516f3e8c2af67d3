"""What can be asked of management nodes without a session, and what is said of them."""

from __future__ import annotations

import msgspec

from zstack_appliance.kernel.message import ANY, Event, Read, api
from zstack_appliance.kernel.schema import Uuid

WIRE = "org.zstack.header.managementnode"


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """ZStack's API level."""

    version: str


class CurrentTime(msgspec.Struct, frozen=True, kw_only=True):
    """The node's clock; the keys are ZStack's."""

    current_time: dict[str, int] = msgspec.field(name="currentTime")


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing: that there is an answer says that the node is ready."""


class NodeJoined(Event, frozen=True, kw_only=True):
    """Another node has come; every node hears of it by itself."""

    node_uuid: Uuid


class NodeLeft(Event, frozen=True, kw_only=True):
    """Another node has left or was lost; every node hears of it by itself, once what it owned has a new owner."""

    node_uuid: Uuid


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
