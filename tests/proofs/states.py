"""A cloud at one moment, as values that can be compared: `State`, `capture` and `settle`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import trio.testing

from tests.eventually import eventually
from tests.proofs import excluded
from tests.running import SimulatedCloud
from zstack_appliance.cloud.backup_storage.messages import ReconnectBackupStorage
from zstack_appliance.cloud.backup_storage.schema import BackupStorage
from zstack_appliance.cloud.host.simulated.fleet import Fleet
from zstack_appliance.cloud.primary_storage.messages import ReconnectPrimaryStorage
from zstack_appliance.cloud.primary_storage.schema import PrimaryStorage
from zstack_appliance.kernel.job import Job, JobState
from zstack_appliance.kernel.journal import OPEN, FlowRun

SETTLE_SECONDS = 1800.0
"""How long, by the virtual clock, a cloud may take until nothing is under way; stuck runs wait a minute each."""

Row = dict[str, Any]


class ProofFailed(AssertionError):
    """What a flow left behind is not what it should have."""


@dataclass(frozen=True)
class State:
    """Every cell of every table and every thing on every host, by a readable path."""

    cells: Mapping[str, str]

    def differences(self, other: State) -> list[str]:
        """One line for each path at which they differ."""
        paths = sorted({*self.cells, *other.cells})
        return [
            f"{path}: {self.cells.get(path, 'absent')} became {other.cells.get(path, 'absent')}"
            for path in paths
            if self.cells.get(path) != other.cells.get(path)
        ]


async def settle(cloud: SimulatedCloud) -> None:
    """Wait until no run is open and no job runs; then have every storage measured, as they are from time to time.

    Raises:
        ProofFailed: something is still under way after `SETTLE_SECONDS`.
    """
    store = cloud.kernel.store

    def nothing_is_under_way() -> bool:
        runs = [f"{run.flow} is {run.state.value}: {run.error}" for run in store.find(FlowRun, state=OPEN)]
        jobs = [f"job {job.api} is {job.state.value}" for job in store.find(Job, state=JobState.RUNNING)]
        assert not runs + jobs, "; ".join(runs + jobs)
        return True

    try:
        await eventually(nothing_is_under_way, within=SETTLE_SECONDS, every=1.0)
    except AssertionError as late:
        raise ProofFailed(f"something is still under way: {late}") from None
    await trio.testing.wait_all_tasks_blocked()
    system = cloud.kernel.as_system()
    for primary in store.find(PrimaryStorage):
        await system.call(ReconnectPrimaryStorage(uuid=primary.uuid))
    for backup in store.find(BackupStorage):
        await system.call(ReconnectBackupStorage(uuid=backup.uuid))


def capture(data: Path, fleet: Fleet) -> State:
    """The state of a database and of the hosts, without what `excluded` names."""
    tables = _tables(data / "cloud.db")
    _add_back_cached_bytes(tables, fleet)
    names = _names(tables)
    cells = dict(_row_cells(tables, names))
    stopped = {row["uuid"] for row in tables["vm_instance"] if row["state"] == "Stopped"}
    cells |= {path: value for path, value in _host_cells(fleet).items() if not _of_stopped(path, stopped)}
    return State(cells)


def _tables(database: Path) -> dict[str, list[Row]]:
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        names = sorted(str(name) for (name,) in found)
        return {name: _rows(connection, name) for name in names if name not in excluded.TABLES}
    finally:
        connection.close()


def _rows(connection: apsw.Connection, table: str) -> list[Row]:
    columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
    rows = connection.execute(f'SELECT * FROM "{table}"').fetchall()
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _add_back_cached_bytes(tables: dict[str, list[Row]], fleet: Fleet) -> None:
    cached = {uuid: sum(file.actual_size for _, file in _cached(fleet, uuid)) for uuid in fleet.machines}
    for row in tables["local_storage_host_ref"]:
        for column in ("available_capacity", "available_physical_capacity"):
            row[column] += cached.get(row["host_uuid"], 0)
    for row in tables["backup_storage"]:
        row["available_capacity"] += cached.get(row["host_uuid"], 0)
    for storage in tables["primary_storage"]:
        shares = [r for r in tables["local_storage_host_ref"] if r["primary_storage_uuid"] == storage["uuid"]]
        for column in ("available_capacity", "available_physical_capacity"):
            storage[column] += sum(cached.get(share["host_uuid"], 0) for share in shares)


def _cached(fleet: Fleet, host_uuid: str) -> list[tuple[str, Any]]:
    return [item for item in fleet.machines[host_uuid].files.below("") if excluded.IMAGE_CACHE in item[0]]


def _names(tables: dict[str, list[Row]]) -> dict[str, str]:
    """Uuid to what stands for it, for the rows that are named by content."""
    return {
        row["uuid"]: f"{table}({', '.join(str(row[column]) for column in columns)})"
        for table, columns in excluded.NAMED_BY_CONTENT.items()
        for row in tables[table]
    }


def _row_cells(tables: dict[str, list[Row]], names: dict[str, str]) -> Iterator[tuple[str, str]]:
    for table, rows in tables.items():
        for row in rows:
            key = next(iter(row.values()))
            for column, value in row.items():
                if column not in excluded.COLUMNS:
                    yield f"{table}/{names.get(key, key)}/{column}", repr(names.get(value, value))


def _of_stopped(path: str, stopped: set[str]) -> bool:
    """Whether a path is what a host keeps of a stopped VM."""
    kind, _, name = path.partition("/")[2].partition("/")
    return kind in excluded.KEPT_OF_STOPPED_VMS and name in stopped


def _host_cells(fleet: Fleet) -> dict[str, str]:
    cells: dict[str, str] = {}
    for uuid, found in fleet.inventory().items():
        if uuid == "shared":
            for files in found.values():
                cells |= {f"shared{path}": repr(file) for path, file in files}
            continue
        cells |= {
            f"host {uuid}/{kind}/{name}": repr(thing)
            for kind, things in found["shelves"].items()
            for name, thing in things.items()
        }
        files = ((path, file) for path, file in found["files"] if excluded.IMAGE_CACHE not in path)
        cells |= {f"host {uuid}{path}": repr(file) for path, file in files}
    return cells
