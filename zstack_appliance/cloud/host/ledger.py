"""What hosts have promised to VMs. Functions on a transaction, for other folders to use inside their own.

Primitives: `place` (choose a host and charge it), `survey` (what it would choose among, and why), `hold` (charge
the host that a VM runs on already) and `vacate` (give back what a VM holds). A host never promises more than it
has, because choosing and charging are one commit.
"""

from __future__ import annotations

from zstack_appliance.cloud.host.allocation import Candidate, choose, explain, judge
from zstack_appliance.cloud.host.messages import HostWish, Placement, scaled
from zstack_appliance.cloud.host.reserves import rules
from zstack_appliance.cloud.host.schema import Host, HostCharge
from zstack_appliance.kernel.schema import describe
from zstack_appliance.kernel.store import Reader, Tx

_SELECT = f"""
SELECT uuid, name, zone_uuid, cluster_uuid, hypervisor_type, state, status,
       available_cpu_capacity, available_memory_capacity, vm_count, total_memory_capacity
  FROM {describe(Host).table}
"""
_WITH_ROOM = " WHERE available_cpu_capacity >= ? AND available_memory_capacity >= ?"


def place(tx: Tx, wish: HostWish) -> Host:
    """Choose a host for a VM and charge it. A VM that is charged already keeps its host.

    Raises:
        InsufficientCapacity: no host passes; the error lists each with the reason.
    """
    held = tx.find(HostCharge, vm_uuid=wish.vm_uuid)
    if held:
        return tx.require(Host, held[0].host_uuid)
    in_force = rules(tx, wish)
    least = scaled(wish.memory, in_force.largest_ratio(wish))
    with_room = [Candidate(*row) for row in tx.select(_SELECT + _WITH_ROOM, (wish.cpu, least))]
    chosen = choose(wish, with_room, in_force)
    if chosen is None:
        everywhere = [Candidate(*row) for row in tx.select(_SELECT + " ORDER BY name, uuid")]
        raise explain(wish, everywhere, in_force)
    return hold(tx, wish.vm_uuid, chosen.uuid, cpu=wish.cpu, memory=in_force.charge(wish, chosen))


def survey(rows: Reader, wish: HostWish) -> list[Placement]:
    """What the filters say of every host, best first, and nothing is charged: the first that passes is chosen."""
    everywhere = [Candidate(*row) for row in rows.select(_SELECT)]
    return judge(wish, everywhere, rules(rows, wish))


def hold(tx: Tx, vm_uuid: str, host_uuid: str, *, cpu: int, memory: int) -> Host:
    """Charge a host for a VM that is there, whether or not there is room: what runs, runs.

    Args:
        tx: the transaction.
        vm_uuid: the VM.
        host_uuid: where it is.
        cpu: its virtual CPUs.
        memory: bytes of the host's memory that it takes; see `messages.scaled`.
    """
    host = tx.require(Host, host_uuid)
    tx.insert(
        HostCharge(
            uuid=vm_uuid,
            create_date=tx.now,
            last_op_date=tx.now,
            vm_uuid=vm_uuid,
            host_uuid=host_uuid,
            cpu=cpu,
            memory=memory,
        )
    )
    return _charge(tx, host, cpu, memory, 1)


def vacate(tx: Tx, vm_uuid: str) -> None:
    """Give back what a VM holds of its host; a VM that holds nothing is no error."""
    for charge in tx.find(HostCharge, vm_uuid=vm_uuid):
        host = tx.get(Host, charge.host_uuid)
        if host is not None:
            _charge(tx, host, -charge.cpu, -charge.memory, -1)
        tx.delete(HostCharge, charge.uuid)


def _charge(tx: Tx, host: Host, cpu: int, memory: int, vms: int) -> Host:
    return tx.update(
        host,
        available_cpu_capacity=host.available_cpu_capacity - cpu,
        available_memory_capacity=host.available_memory_capacity - memory,
        vm_count=host.vm_count + vms,
    )
