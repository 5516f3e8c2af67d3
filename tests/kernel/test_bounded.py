from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
import trio

from tests.kernel.small_store import SmallStore
from tests.kernel.store.nouns import opened
from tests.kernel.store.test_pool import FOREVER
from zstack_appliance.kernel.bounded import CONFIGS, QUERY_SECONDS, InTime, select_bounded
from zstack_appliance.kernel.config import Configs
from zstack_appliance.kernel.errors import InvalidArgument, Unavailable
from zstack_appliance.kernel.sql import Statement


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SmallStore]:
    made = SmallStore(tmp_path / "cloud.db")
    yield made
    made.connection.close()


def test_rows_are_given(store: SmallStore) -> None:
    assert select_bounded(store, Statement("SELECT ?, 2", ("x",))) == [("x", 2)]


@pytest.mark.parametrize("deep", [" OR ".join(["1"] * 1500), "(" * 5000 + "1" + ")" * 5000])
def test_what_is_too_deep_is_the_callers_fault(store: SmallStore, deep: str) -> None:
    with pytest.raises(InvalidArgument, match="nested too deep"):
        select_bounded(store, Statement(f"SELECT {deep}"))


def test_any_other_error_is_ours(store: SmallStore) -> None:
    with pytest.raises(apsw.SQLError, match="no such table"):
        select_bounded(store, Statement("SELECT 1 FROM nowhere"))


async def test_a_read_that_takes_too_long_is_interrupted_and_says_what_to_do(tmp_path: Path) -> None:
    configs = Configs(CONFIGS)
    configs.put(QUERY_SECONDS.path, "1")
    async with opened(tmp_path, threads=True) as store:
        in_time = InTime(store, configs)
        for _ in range(2):  # Were a connection lost each time, the third would wait for ever.
            with pytest.raises(Unavailable, match=r"longer than 1 s .* query\.timeout"):
                await in_time.read(lambda reader: reader.select(FOREVER))
        assert await in_time.read(lambda reader: reader.select("SELECT 1")) == [(1,)]


async def test_a_cancel_from_outside_is_no_timeout(tmp_path: Path) -> None:
    async with opened(tmp_path, threads=True) as store:
        in_time = InTime(store, Configs(CONFIGS))
        with trio.move_on_after(0.05) as scope:
            await in_time.read(lambda reader: reader.select(FOREVER))
        assert scope.cancelled_caught
