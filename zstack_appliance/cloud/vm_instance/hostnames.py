"""No two VMs on one L3 network have one host name: their DHCP and DNS could not tell them apart."""

from __future__ import annotations

from collections.abc import Iterable

from zstack_appliance.cloud.tag.messages import BeforeSystemTag
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmNic
from zstack_appliance.cloud.vm_instance.tags import HOSTNAME
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Fault, refuse
from zstack_appliance.kernel.tag import SystemTagRow


async def before_tag(hook: BeforeSystemTag, cloud: Cloud) -> None:
    """A VM is about to get another host name."""
    if isinstance(hook.row, VmInstance):
        nics = await cloud.find(VmNic, vm_instance_uuid=hook.row.uuid)
        await refuse_taken((hook.tag,), {nic.l3_network_uuid for nic in nics}, hook.row.uuid, cloud)


async def refuse_taken(tags: Iterable[str], networks: set[str], vm_uuid: str | None, cloud: Cloud) -> None:
    """Raise an `InvalidArgument` for a host name that another VM has on one of these L3 networks.

    Args:
        tags: system tags, of which those that give a host name are looked at.
        networks: the VM's L3 networks, by uuid.
        vm_uuid: the VM itself; None for one that is not there yet.
        cloud: knows the others.
    """
    for tag in tags:
        if HOSTNAME.tokens(tag) is None:
            continue
        for twin in await cloud.find(SystemTagRow, tag=tag, resource_type=HOSTNAME.target):
            theirs = {nic.l3_network_uuid for nic in await cloud.find(VmNic, vm_instance_uuid=twin.resource_uuid)}
            if twin.resource_uuid != vm_uuid and theirs & networks:
                refuse(Fault("systemTags", f"another VM of the L3 network has the tag[{tag}]; choose another name"))
