"""Compare what is on hosts with the records, for ``doctor --orphans``.

Every plugin looks after its own kind, by the hook `InspectHost`. Things come and go while one looks, so what
seems wrong is looked at twice: only what both looks saw is told.
"""

from __future__ import annotations

from functools import partial

from zstack_appliance.cloud.host.messages import HostLeftover, InspectHost, ListOrphans, Orphans
from zstack_appliance.cloud.host.schema import Host, HostStatus
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.together import together


@handles(ListOrphans)
async def list_orphans(m: ListOrphans, cloud: Cloud) -> Orphans:
    """Serve `ListOrphans`."""
    del m
    found = await look(cloud)
    if found:
        again = set(await look(cloud))
        found = [row for row in found if row in again]
    return Orphans(orphans=tuple(found))


async def look(cloud: Cloud) -> list[HostLeftover]:
    """One look at every host, ordered by host, kind and name; a host that does not answer is missing itself."""
    rows: dict[str, list[HostLeftover]] = {}

    async def inspect(host: Host) -> None:
        if host.status is not HostStatus.CONNECTED:
            rows[host.uuid] = [HostLeftover(kind="host", name=host.name, problem="missing")]
            return
        answers = await cloud.gather(InspectHost(host=host))
        rows[host.uuid] = sorted(
            (row for answer in answers for row in answer), key=lambda row: (row.kind, row.name, row.problem)
        )

    hosts = await cloud.find(Host)
    await together(*(partial(inspect, host) for host in hosts))
    return [row for host in hosts for row in rows[host.uuid]]
