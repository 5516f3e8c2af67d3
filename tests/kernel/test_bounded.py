from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from tests.kernel.small_store import SmallStore
from zstack_appliance.kernel.bounded import select_bounded
from zstack_appliance.kernel.errors import InvalidArgument
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
