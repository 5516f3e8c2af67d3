"""Rows of the small cloud in a real SQLite file, read as the store reads them, without the store's writer.

Primitives: `SmallStore` and the functions that make one row each with as little as a test cares about.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import apsw
import trio

from tests.kernel.small_cloud import (
    RESOURCES,
    Cluster,
    Host,
    KvmHost,
    L3Network,
    VmInstance,
    VmNic,
    VmState,
    Volume,
    Zone,
)
from zstack_appliance.kernel.compile import Compiler
from zstack_appliance.kernel.edges import Graph
from zstack_appliance.kernel.principal import SYSTEM, Principal
from zstack_appliance.kernel.schema import OnOff, Record
from zstack_appliance.kernel.sql import Statement
from zstack_appliance.kernel.store.reader import Reader
from zstack_appliance.kernel.store.tables import Tables
from zstack_appliance.kernel.tag import SystemTagRow, UserTag

T = TypeVar("T")

ADMIN = SYSTEM
ALICE = Principal("a" * 32, admin=False)
BOB = Principal("b" * 32, admin=False)


class PlainSealer:
    """Marks what it seals, so that a test sees whether it was."""

    def seal(self, plain: bytes) -> str:
        """The text, marked."""
        return f"sealed:{plain.decode()}"

    def unseal(self, sealed: str) -> bytes:
        """The text, without its mark."""
        return sealed.removeprefix("sealed:").encode()


GRAPH = Graph(RESOURCES)
TABLES = Tables(RESOURCES, PlainSealer())


class SmallStore(Reader):
    """Tables, rows as they are put in, and the texts of what was read."""

    def __init__(self, path: Path, tables: Tables = TABLES) -> None:
        self.connection = apsw.Connection(str(path))
        self.connection.execute("PRAGMA synchronous = OFF")
        super().__init__(self.connection, tables)
        self.tables = tables
        for statements in tables.schema.values():
            for statement in statements:
                self.connection.execute(statement)
        self.asked: list[str] = []
        """The text of every statement that was read, in order."""

    def put(self, *rows: Record, owner: Principal = ADMIN) -> None:
        """Insert rows that belong to `owner`."""
        self.connection.execute("BEGIN")
        for row in rows:
            for text, bindings in self.tables.of(type(row)).insert(row, owner.account_uuid):
                self.connection.execute(text, bindings)
        self.connection.execute("COMMIT")

    def select(self, sql: str, bindings: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """The result rows of a statement."""
        self.asked.append(sql)
        return super().select(sql, bindings)

    async def read(self, function: Callable[[Reader], T], _party: str = "") -> T:
        """What a function makes of the rows."""
        await trio.lowlevel.checkpoint()
        return function(self)

    def plan(self, statement: Statement) -> list[str]:
        """What SQLite means to do for a statement, line by line."""
        rows = self.connection.execute(f"EXPLAIN QUERY PLAN {statement.sql}", statement.bindings)
        return [str(row[3]) for row in rows]


def key(name: str) -> str:
    """A uuid that a test can name."""
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


class Dates(TypedDict):
    """Both dates of a row."""

    create_date: int
    last_op_date: int


def dates(at: int = 0) -> Dates:
    """Both dates of a row that was made at `at` milliseconds."""
    return {"create_date": at, "last_op_date": at}


def zone(name: str, *, at: int = 0, state: OnOff = OnOff.ENABLED) -> Zone:
    """A zone."""
    return Zone(uuid=key(name), name=name, state=state, is_default=False, **dates(at))


def cluster(name: str, of: Zone) -> Cluster:
    """A cluster."""
    return Cluster(uuid=key(name), name=name, zone_uuid=of.uuid, state=OnOff.ENABLED, **dates())


def host(name: str, of: Cluster, kind: str = "Simulator") -> Host:
    """A host without fields of its own kind."""
    return Host(
        uuid=key(name),
        name=name,
        zone_uuid=of.zone_uuid,
        cluster_uuid=of.uuid,
        hypervisor_type=kind,
        management_ip="10.0.0.1",
        **dates(),
    )


def kvm(name: str, of: Cluster, *, ssh_port: int = 22) -> KvmHost:
    """A KVM host, with a password."""
    return KvmHost(
        uuid=key(name),
        name=name,
        zone_uuid=of.zone_uuid,
        cluster_uuid=of.uuid,
        hypervisor_type="KVM",
        management_ip="10.0.0.2",
        ssh_port=ssh_port,
        username="root",
        password="secret",
        **dates(),
    )


def l3(name: str, of: Zone) -> L3Network:
    """An L3 network."""
    return L3Network(uuid=key(name), name=name, zone_uuid=of.uuid, system=False, **dates())


def vm(
    name: str, *, on: Host | None = None, at: int = 0, state: VmState = VmState.RUNNING, cpus: int = 1
) -> VmInstance:
    """A VM of 128 MiB."""
    return VmInstance(
        uuid=key(name),
        name=name,
        host_uuid=on.uuid if on else None,
        state=state,
        memory_size=128 << 20,
        cpu_num=cpus,
        labels=["small"],
        process=4711,
        **dates(at),
    )


def nic(name: str, of: VmInstance, *, on: L3Network | None = None, device: int = 0, ip: str | None = None) -> VmNic:
    """A NIC."""
    return VmNic(
        uuid=key(name),
        vm_instance_uuid=of.uuid,
        l3_network_uuid=on.uuid if on else None,
        device_id=device,
        ip=ip,
        **dates(),
    )


def volume(name: str, of: VmInstance | None = None, *, size: int = 1 << 30) -> Volume:
    """A volume."""
    return Volume(uuid=key(name), name=name, vm_instance_uuid=of.uuid if of else None, size=size, **dates())


def user_tag(tag: str, on: Record) -> UserTag:
    """A user tag."""
    return UserTag(
        uuid=key(f"{tag}{on.uuid}"), resource_uuid=on.uuid, resource_type="x", tag=tag, type="User", **dates()
    )


def system_tag(tag: str, on: Record) -> SystemTagRow:
    """A system tag."""
    return SystemTagRow(
        uuid=key(f"{tag}{on.uuid}"),
        resource_uuid=on.uuid,
        resource_type="x",
        tag=tag,
        type="System",
        inherent=False,
        **dates(),
    )


def compiler() -> Compiler:
    """A compiler over the small cloud."""
    return Compiler(GRAPH, TABLES)
