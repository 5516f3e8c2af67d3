"""Who may see a row that is shared: the same answer from the SQL of queries and from the look at one row."""

from __future__ import annotations

from pathlib import Path

from tests.running import running
from zstack_appliance.cloud.disk_offering.schema import DiskOffering
from zstack_appliance.cloud.vm_instance.schema import VmInstance
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.schema import OnOff
from zstack_appliance.kernel.sharing import SharedResource, is_shared, shared

ALICE, BOB = (Principal(letter * 32, admin=False) for letter in "ab")
HERS, PUBLIC, PRIVATE = "1" * 32, "2" * 32, "3" * 32


def offering(uuid: str) -> DiskOffering:
    return DiskOffering(
        uuid=uuid, create_date=0, last_op_date=0, name="o", disk_size=1, sort_key=0,
        state=OnOff.ENABLED, type="zstack", allocator_strategy="DefaultPrimaryStorageAllocationStrategy",
    )  # fmt: skip


def share(number: int, uuid: str, receiver: str | None) -> SharedResource:
    return SharedResource(
        uuid=f"{number:032x}", create_date=0, last_op_date=0, owner_account_uuid="c" * 32, to_public=receiver is None,
        resource_type="DiskOfferingVO", resource_uuid=uuid, receiver_account_uuid=receiver,
    )  # fmt: skip


async def test_both_answers_agree(tmp_path: Path) -> None:
    async with running(tmp_path) as cloud:
        store = cloud.kernel.store
        rows = [*map(offering, (HERS, PUBLIC, PRIVATE)), share(1, HERS, ALICE.account_uuid), share(2, PUBLIC, None)]
        await store.write(lambda tx: [tx.insert(row) for row in rows], owner="c" * 32)
        for principal, expected in ((ALICE, {HERS, PUBLIC}), (BOB, {PUBLIC})):
            made = shared(DiskOffering, "t.uuid", principal)
            assert made is not None
            found = store.reader.select(f"SELECT t.uuid FROM disk_offering t WHERE {made.sql}", made.bindings)
            assert {uuid for (uuid,) in found} == expected
            each = {uuid for uuid in (HERS, PUBLIC, PRIVATE) if is_shared(store, DiskOffering, uuid, principal)}
            assert each == expected


async def test_looking_for_shared_rows_goes_by_indexes(tmp_path: Path) -> None:
    async with running(tmp_path) as cloud:
        made = shared(DiskOffering, "t.uuid", ALICE)
        assert made is not None
        plan = cloud.kernel.store.reader.select(
            f"EXPLAIN QUERY PLAN SELECT t.uuid FROM disk_offering t WHERE {made.sql}", made.bindings
        )
        steps = [str(row[-1]) for row in plan if "shared_resource" in str(row[-1])]
        assert len(steps) == 2
        assert all("INDEX" in step for step in steps), steps


async def test_what_is_not_shareable_costs_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as cloud:
        assert shared(VmInstance, "t.uuid", ALICE) is None
        assert not is_shared(cloud.kernel.store, VmInstance, HERS, ALICE)
