"""Which addresses are taken: each once, from anywhere in the ranges, until none is left."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cloud import rows
from zstack_appliance.cloud.l3_network.ledger import AddressWish, give_back_address, take_address
from zstack_appliance.cloud.l3_network.schema import IpRange, UsedIp
from zstack_appliance.kernel.errors import InsufficientCapacity, InvalidArgument
from zstack_appliance.kernel.schema import OnOff, Record


def network(*ranges: IpRange, **changes: Any) -> tuple[Record, ...]:
    """One L3 network with these ranges."""
    return (rows.zone(), rows.l2(), rows.l3(**changes), *ranges)


def wish(dice: int = 0, **changes: Any) -> AddressWish:
    """Any address."""
    return AddressWish(**{"uuid": rows.uuid(), "l3_network_uuid": rows.uuid("net1"), "dice": dice, **changes})


async def test_dice_of_zero_take_the_first_free_address(tmp_path: Path) -> None:
    """And a freed one is the first again."""
    async with rows.store_with(tmp_path, *network(rows.ip_range(2, 9))) as store:
        taken = [await store.write(lambda tx: take_address(tx, wish())) for _ in range(3)]
        assert [used.ip for used in taken] == ["10.0.0.2", "10.0.0.3", "10.0.0.4"]
        await store.write(lambda tx: give_back_address(tx, taken[1].uuid))
        await store.write(lambda tx: give_back_address(tx, taken[1].uuid))
        assert (await store.write(lambda tx: take_address(tx, wish()))).ip == "10.0.0.3"


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(dice=st.lists(st.integers(0, 2**31), min_size=12, max_size=12))
async def test_every_address_is_handed_out_once_whatever_the_dice(tmp_path: Path, dice: list[int]) -> None:
    """Two ranges of six: twelve takers get twelve addresses, the thirteenth is refused."""
    folder = tmp_path / str(hash(tuple(dice)))
    folder.mkdir(exist_ok=True)
    (folder / "cloud.db").unlink(missing_ok=True)
    ranges = (rows.ip_range(2, 7), rows.ip_range(10, 15))
    async with rows.store_with(folder, *network(*ranges)) as store:
        for number in dice:
            await store.write(partial(take_address, wish=wish(number)))
        assert {used.ip for used in store.find(UsedIp)} == {f"10.0.0.{last}" for last in (*range(2, 8), *range(10, 16))}
        with pytest.raises(InsufficientCapacity, match="every address"):
            await store.write(lambda tx: take_address(tx, wish(dice[0])))


async def test_a_wished_address_is_given_or_refused_with_the_reason(tmp_path: Path) -> None:
    """In use and outside are different mistakes."""
    async with rows.store_with(tmp_path, *network(rows.ip_range(2, 9))) as store:
        assert (await store.write(lambda tx: take_address(tx, wish(ip="10.0.0.5")))).ip == "10.0.0.5"
        with pytest.raises(InsufficientCapacity, match=r"10\.0\.0\.5 is in use"):
            await store.write(lambda tx: take_address(tx, wish(ip="10.0.0.5")))
        with pytest.raises(InvalidArgument, match=r"ranges are 10\.0\.0\.2-10\.0\.0\.9"):
            await store.write(lambda tx: take_address(tx, wish(ip="10.0.0.77")))


async def test_no_range_and_a_disabled_network_are_refused(tmp_path: Path) -> None:
    """Each says what to do."""
    async with rows.store_with(tmp_path, *network()) as store:
        with pytest.raises(InsufficientCapacity, match="has no IP range; add one"):
            await store.write(lambda tx: take_address(tx, wish()))


async def test_a_disabled_network_takes_no_nic(tmp_path: Path) -> None:
    """State is checked inside the commit, where nobody can slip between."""
    async with rows.store_with(tmp_path, *network(rows.ip_range(), state=OnOff.DISABLED)) as store:
        with pytest.raises(InvalidArgument, match="is Disabled"):
            await store.write(lambda tx: take_address(tx, wish()))
