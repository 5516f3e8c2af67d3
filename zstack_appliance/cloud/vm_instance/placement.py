"""Where a new VM would go, and why not elsewhere: what creating one decides, without doing it."""

from __future__ import annotations

import msgspec

from zstack_appliance.cloud.host.ledger import survey
from zstack_appliance.cloud.host.messages import Placement
from zstack_appliance.cloud.image.schema import Image
from zstack_appliance.cloud.instance_offering.schema import InstanceOffering
from zstack_appliance.cloud.l3_network.schema import L3Network
from zstack_appliance.cloud.primary_storage.ledger import VolumeWish, survey_space
from zstack_appliance.cloud.vm_instance import checks
from zstack_appliance.cloud.vm_instance.create import draft
from zstack_appliance.cloud.vm_instance.messages import CreateVmInstance, GetPlacements, Placements
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import refuse
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.store import Reader

SPACE = "PrimaryStorageCapacity"
"""The filter that a host fails whose primary storages have no room for the root volume."""


@handles(GetPlacements)
async def placements(m: GetPlacements, cloud: Cloud) -> Placements:
    """Serve `GetPlacements`."""
    same = {name: getattr(m, name) for name in m.__struct_fields__ if name != "limit"}
    wished = CreateVmInstance(name="placement", **same)
    refuse(*checks.arguments(wished))
    image = await cloud.get(Image, m.image_uuid or "")
    offering = await cloud.get(InstanceOffering, m.instance_offering_uuid) if m.instance_offering_uuid else None
    networks = [await cloud.get(L3Network, uuid) for uuid in m.l3_network_uuids or ()]
    await checks.state(wished, image, offering, networks, cloud)
    new = await draft(wished, image, offering, networks, cloud)
    hosts = survey(cloud.store.reader, new.host)
    first = next((host.host_uuid for host in hosts if host.accepted), None)
    judged = [with_space(host, new.storage, cloud.store.reader) for host in hosts]
    fit = [each for each in judged if each.accepted]
    unfit = [each for each in judged if not each.accepted]
    return Placements(
        accepted=len(fit),
        rejected=len(unfit),
        # Storage is looked for on the host that was chosen, and nowhere else.
        chosen=first if fit and fit[0].host_uuid == first else None,
        placements=tuple([*fit, *unfit][: m.limit]),
    )


def with_space(host: Placement, wish: VolumeWish, rows: Reader) -> Placement:
    """What the storages that reach a host say, if the host itself would take the VM."""
    if not host.accepted:
        return host
    reasons = [(storage.name, reason) for storage, reason in survey_space(rows, wish, host.host_uuid)]
    if any(not reason for _, reason in reasons):
        return host
    text = "; ".join(f"primary storage[{name}]: {reason}" for name, reason in reasons) or "no primary storage exists"
    return msgspec.structs.replace(host, accepted=False, filter=SPACE, reason=text)
