"""What is stored of a management node."""

from __future__ import annotations

from typing import Annotated

from zstack_appliance.kernel.schema import TIMESTAMP, VOLATILE, Millis, Record, resource


@resource(wire="org.zstack.header.managementnode", path="/management-nodes", readable=True, unique=(("host_name",),))
class ManagementNode(Record, frozen=True, kw_only=True):
    """A node, and when it was last heard of."""

    host_name: str
    join_date: Annotated[Millis, TIMESTAMP]
    heart_beat: Annotated[Millis, TIMESTAMP, VOLATILE]
