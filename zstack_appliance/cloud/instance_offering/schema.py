"""What is stored of an instance offering."""

from __future__ import annotations

from zstack_appliance.kernel.schema import ByteSize, OnOff, Resource, resource


@resource(wire="org.zstack.header.configuration", path="/instance-offerings", owned=True, shareable=True)
class InstanceOffering(Resource, frozen=True, kw_only=True):
    """CPUs and memory that a VM gets, and how its host is chosen."""

    cpu_num: int
    cpu_speed: int
    memory_size: ByteSize
    reserved_memory_size: ByteSize
    type: str
    allocator_strategy: str
    sort_key: int
    state: OnOff
