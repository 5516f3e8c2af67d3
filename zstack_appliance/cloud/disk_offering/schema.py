"""What is stored of a disk offering."""

from __future__ import annotations

from zstack_appliance.kernel.schema import ByteSize, OnOff, Resource, resource


@resource(wire="org.zstack.header.configuration", path="/disk-offerings", owned=True, shareable=True)
class DiskOffering(Resource, frozen=True, kw_only=True):
    """The size of a volume, and how its primary storage is chosen."""

    disk_size: ByteSize
    sort_key: int
    state: OnOff
    type: str
    allocator_strategy: str
