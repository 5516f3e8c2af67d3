"""What is true of the records at every moment: `at_any_time`. It counts everything anew, in plain SQL."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.model.site import Site
from zstack_appliance.kernel.store.reader import Reader

Problems = list[str]

_COMPANIONS = ("user_tag", "system_tag", "shared_resource")


def at_any_time(site: Site) -> Problems:
    """What is wrong with the records as last committed; empty when all is well."""
    reader = site.store.reader
    return [
        *_host_sums(reader),
        *_storage_sums(reader),
        *_addresses(reader),
        *_charges(reader),
        *_dangling(reader),
        *_companions(reader),
    ]


def _rows(reader: Reader, sql: str) -> list[tuple[Any, ...]]:
    return reader.select(sql, ())


def _host_sums(reader: Reader) -> Problems:
    """What hosts have left is what they have less what VMs hold, and never less than nothing."""
    sql = """
    SELECT h.name, h.total_cpu_capacity - h.available_cpu_capacity, coalesce(sum(c.cpu), 0),
           h.total_memory_capacity - h.available_memory_capacity, coalesce(sum(c.memory), 0),
           h.vm_count, count(c.uuid), h.available_cpu_capacity, h.available_memory_capacity
      FROM host h LEFT JOIN host_charge c ON c.host_uuid = h.uuid GROUP BY h.uuid
    """
    found: Problems = []
    for name, cpu, cpus, memory, memories, number, numbers, cpu_left, memory_left in _rows(reader, sql):
        if (cpu, memory, number) != (cpus, memories, numbers):
            found.append(
                f"host {name} says that {cpu} CPUs, {memory} bytes, {number} VMs are held;"
                f" its charges are {cpus}, {memories}, {numbers}"
            )
        if cpu_left < 0 or memory_left < 0:
            found.append(f"host {name} has promised more than it has: {cpu_left} CPUs, {memory_left} bytes are left")
    return found


def _storage_sums(reader: Reader) -> Problems:
    """A storage is the sum of its shares; a share has left what is free, less what volumes hold."""
    sql = """
    SELECT p.name, p.total_capacity, p.available_capacity,
           coalesce(sum(s.total_capacity), 0), coalesce(sum(s.available_capacity), 0)
      FROM primary_storage p LEFT JOIN local_storage_host_ref s ON s.primary_storage_uuid = p.uuid GROUP BY p.uuid
    """
    found = [
        f"storage {name} says {total} and {left}; its shares are {totals} and {lefts}"
        for name, total, left, totals, lefts in _rows(reader, sql)
        if (total, left) != (totals, lefts)
    ]
    shares = """
    SELECT s.uuid, s.available_physical_capacity - s.available_capacity, coalesce(sum(c.size), 0), s.available_capacity
      FROM local_storage_host_ref s LEFT JOIN space_charge c
        ON c.host_uuid = s.host_uuid AND c.primary_storage_uuid = s.primary_storage_uuid GROUP BY s.uuid
    """
    for uuid, held, charged, left in _rows(reader, shares):
        if held != charged:
            found.append(f"share {uuid} says that {held} bytes are held; its charges are {charged}")
        if left < 0:
            found.append(f"share {uuid} has promised more than it has: {left} bytes are left")
    return found


def _addresses(reader: Reader) -> Problems:
    """Every address is used once, inside its range, and known alike to its NIC."""
    twice = Counter(tuple(row) for row in _rows(reader, "SELECT l3_network_uuid, ip FROM used_ip"))
    found = [f"address {ip} is used {number} times" for (_, ip), number in twice.items() if number > 1]
    outside = """
    SELECT u.ip, r.start_ip, r.end_ip FROM used_ip u JOIN ip_range r ON r.uuid = u.ip_range_uuid
     WHERE u.ip_in_long NOT BETWEEN r.start_number AND r.end_number OR u.l3_network_uuid <> r.l3_network_uuid
    """
    found += [f"address {ip} is outside its range {start}-{end}" for ip, start, end in _rows(reader, outside)]
    differ = """
    SELECT n.uuid, n.ip, u.ip FROM vm_nic n LEFT JOIN used_ip u ON u.uuid = n.used_ip_uuid
     WHERE n.ip IS NOT u.ip OR (u.uuid IS NOT NULL AND u.vm_nic_uuid IS NOT n.uuid)
    """
    found += [f"NIC {uuid} has address {ip}, its record of use says {used}" for uuid, ip, used in _rows(reader, differ)]
    lost = """
    SELECT u.ip FROM used_ip u WHERE u.vm_nic_uuid IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM vm_nic n WHERE n.used_ip_uuid = u.uuid)
    """
    found += [f"address {ip} is used by a NIC that does not have it" for (ip,) in _rows(reader, lost)]
    kept = """
    SELECT n.ip FROM vm_nic n JOIN vm_instance v ON v.uuid = n.vm_instance_uuid
     WHERE v.state = 'Destroyed' AND n.ip IS NOT NULL
    """
    return found + [f"address {ip} is kept by a VM that is destroyed" for (ip,) in _rows(reader, kept)]


def _charges(reader: Reader) -> Problems:
    """Who holds something exists, and is in a state to hold it."""
    hosts = """
    SELECT c.vm_uuid, v.state FROM host_charge c LEFT JOIN vm_instance v ON v.uuid = c.vm_uuid
     WHERE v.uuid IS NULL OR v.state IN ('Stopped', 'Destroyed', 'Expunging') OR v.host_uuid IS NOT c.host_uuid
    """
    found = [f"VM {uuid} ({state}) holds a place on a host that it is not on" for uuid, state in _rows(reader, hosts)]
    missing = """
    SELECT v.uuid FROM vm_instance v WHERE v.state IN ('Running', 'Paused')
       AND NOT EXISTS (SELECT 1 FROM host_charge c WHERE c.vm_uuid = v.uuid)
    """
    found += [f"VM {uuid} is on a host and holds no place there" for (uuid,) in _rows(reader, missing)]
    space = """
    SELECT c.uuid FROM space_charge c WHERE NOT EXISTS (SELECT 1 FROM volume v WHERE v.uuid = c.uuid)
    """
    found += [f"space is held for volume {uuid}, which is not there" for (uuid,) in _rows(reader, space)]
    free = """
    SELECT v.uuid FROM volume v WHERE v.status IN ('Ready', 'Deleted') AND v.host_uuid IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM space_charge c WHERE c.uuid = v.uuid)
    """
    return found + [f"volume {uuid} takes space that nobody holds for it" for (uuid,) in _rows(reader, free)]


def _dangling(reader: Reader) -> Problems:
    return [f"a row of {row[0]} refers to nothing in {row[2]}" for row in _rows(reader, "PRAGMA foreign_key_check")]


def _companions(reader: Reader) -> Problems:
    """Tags and shares go with what they are of; an unshared row has an owner that exists."""
    anything = reader.anything
    found = []
    for table in _COMPANIONS:
        for uuid, of in _rows(reader, f"SELECT uuid, resource_uuid FROM {table}"):
            if anything(of) is None:
                found.append(f"{table} {uuid} is of {of}, which is not there")
    return found
