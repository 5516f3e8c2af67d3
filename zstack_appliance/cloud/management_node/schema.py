"""What is stored of a management node."""

from __future__ import annotations

import enum
from typing import Annotated

from zstack_appliance.kernel.schema import HIDDEN, SEQUENCE, TIMESTAMP, VOLATILE, Millis, Record, resource


class NodeState(enum.Enum):
    """Running → Leaving; a node that has left, or was lost, has no row."""

    RUNNING = "Running"
    LEAVING = "Leaving"
    """It finishes what it has begun, and what comes anew goes to the others."""


@resource(wire="org.zstack.header.managementnode", path="/management-nodes", readable=True, unique=(("host_name",),))
class ManagementNode(Record, frozen=True, kw_only=True):
    """A node, and when it was last heard of."""

    host_name: str
    join_date: Annotated[Millis, TIMESTAMP]
    heart_beat: Annotated[Millis, TIMESTAMP, VOLATILE]
    state: Annotated[NodeState, HIDDEN]
    epoch: Annotated[int, SEQUENCE, HIDDEN]
    """Grows with every joining in the whole cloud, so that the lives of one node are told apart."""
