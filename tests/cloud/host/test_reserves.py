"""What single hosts, clusters and zones deviate in, as it is stored."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.cloud import rows
from zstack_appliance.cloud.host.allocation import Rules
from zstack_appliance.cloud.host.messages import HostWish
from zstack_appliance.cloud.host.reserves import rules
from zstack_appliance.kernel.resource_config import ResourceConfig
from zstack_appliance.kernel.schema import Record, root_of
from zstack_appliance.kernel.tag import SystemTagRow

GIB = rows.GIB
WISH = HostWish(vm_uuid=rows.uuid("vm"), cpu=1, memory=GIB, reserved_memory=GIB)


def tag(row: Record, text: str) -> SystemTagRow:
    return SystemTagRow(
        uuid=hashlib.md5(f"{row.uuid} {text}".encode(), usedforsecurity=False).hexdigest(),
        create_date=1,
        last_op_date=1,
        resource_uuid=row.uuid,
        resource_type=root_of(type(row)).vo,
        tag=text,
        type="System",
        inherent=False,
    )


def setting(row: Record, category: str, name: str, value: str) -> ResourceConfig:
    return ResourceConfig(
        uuid=hashlib.md5(f"{row.uuid} {name}".encode(), usedforsecurity=False).hexdigest(),
        create_date=1,
        last_op_date=1,
        resource_uuid=row.uuid,
        resource_type=root_of(type(row)).vo,
        category=category,
        name=name,
        description="",
        value=value,
    )


async def test_tags_go_before_settings_and_count_at_the_levels_that_are_on(tmp_path: Path) -> None:
    zone, cluster, host = rows.zone(), rows.cluster(), rows.host()
    deviations = (
        tag(zone, "host::reservedCpu::2"),
        tag(cluster, "host::reservedMemory::3G"),
        tag(host, "reservedMemory::4G"),
        tag(host, "reservedCpus::9"),
        setting(cluster, "kvm", "reservedMemory", "1M"),
        setting(zone, "kvm", "reservedMemory", "5G"),
        setting(host, "mevoco", "overProvisioning.memory", "1.5"),
    )
    async with rows.store_with(tmp_path, zone, cluster, host, *deviations) as store:
        found = await store.write(lambda tx: rules(tx, WISH))
        assert found == Rules(
            reserved_cpu={zone.uuid: 2},
            reserved_memory={cluster.uuid: 3 * GIB, host.uuid: 4 * GIB, zone.uuid: 5 * GIB},
            memory_ratio={host.uuid: 1.5},
        )
        hosts_only = HostWish(vm_uuid=WISH.vm_uuid, cpu=1, memory=1, reserved_memory=0, reserve_levels=("HostVO",))
        found = await store.write(lambda tx: rules(tx, hosts_only))
        assert found.reserved_cpu == {}
        assert found.reserved_memory == {cluster.uuid: 2**20, host.uuid: 4 * GIB, zone.uuid: 5 * GIB}
