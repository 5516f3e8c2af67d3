"""What is stored of a zone."""

from __future__ import annotations

from zstack_appliance.kernel.schema import OnOff, Resource, resource


@resource(wire="org.zstack.header.zone", path="/zones", readable=True)
class Zone(Resource, frozen=True, kw_only=True):
    """The largest part of a cloud."""

    state: OnOff
    type: str
    """Always ``zstack``: no other type exists."""
    is_default: bool
    """At most one zone is the one that callers mean when they name none."""
