"""Between records and mirror: `KINDS`, `state_of`, and `first_things`, which takes over a first cloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.model.mirror import THERE, Thing
from zstack_appliance.cloud.cluster.schema import Cluster
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.cloud.image.schema import Image
from zstack_appliance.cloud.instance_offering.schema import InstanceOffering
from zstack_appliance.cloud.l2_network.schema import L2Network
from zstack_appliance.cloud.l3_network.schema import IpRange, L3Network
from zstack_appliance.cloud.primary_storage.schema import PrimaryStorage
from zstack_appliance.cloud.vm_instance.schema import VmInstance
from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT
from zstack_appliance.kernel.schema import Resource
from zstack_appliance.kernel.sharing import SharedResource
from zstack_appliance.kernel.store import Store

KINDS: Mapping[str, type[Resource]] = {
    "zone": Zone,
    "cluster": Cluster,
    "host": Host,
    "ps": PrimaryStorage,
    "l2": L2Network,
    "l3": L3Network,
    "range": IpRange,
    "image": Image,
    "offering": InstanceOffering,
    "vm": VmInstance,
}

_ABOVE = ("zone_uuid", "cluster_uuid", "l2_network_uuid", "l3_network_uuid")
"""References by which what stands in a first cloud goes with something else."""


def state_of(row: Resource) -> str:
    """The state that the mirror compares: an image's is its status, and what has none is simply there."""
    if isinstance(row, Image):
        return row.status.value
    state = getattr(row, "state", None)
    return THERE if state is None else str(state.value)


def first_things(store: Store) -> Iterator[Thing]:
    """What a first cloud has."""
    public = {share.resource_uuid for share in store.find(SharedResource) if share.to_public}
    for kind, cls in KINDS.items():
        for row in store.find(cls):
            yield Thing(
                kind=kind,
                uuid=row.uuid,
                name=row.name,
                owner=store.owner(cls, row.uuid) or ADMIN_ACCOUNT,
                state=state_of(row),
                above=tuple(getattr(row, name) for name in _ABOVE if hasattr(row, name)),
                size=_size(row),
                public=row.uuid in public,
                first=True,
            )


def _size(row: Resource) -> tuple[int, int]:
    if isinstance(row, Host):
        return row.total_cpu_capacity, row.total_memory_capacity
    if isinstance(row, InstanceOffering):
        return row.cpu_num, row.memory_size
    return 0, 0
