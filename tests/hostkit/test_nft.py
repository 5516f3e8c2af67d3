"""A table of ours: replaced in one transaction, and only when it is not as it was left."""

from __future__ import annotations

from pathlib import Path

from tests.scripted_runtime import ScriptedRuntime
from zstack_appliance.hostkit.nft import ensure_table, remove_table
from zstack_appliance.kernel.remote import HostCommandFailed

TABLE, BODY = "ip zs_ab12cd", "\tchain c {\n\t}\n"


async def _ensure(runtime: ScriptedRuntime, body: str = BODY) -> bool:
    return await ensure_table(runtime, TABLE, body, record=runtime.data / "table.json", namespace="zs-1")


def _fed(runtime: ScriptedRuntime) -> list[str]:
    return [ran.stdin for ran in runtime.ran if ran.argv[-2:] == ("-f", "-")]


async def test_a_table_is_replaced_whole_in_one_transaction(tmp_path: Path) -> None:
    runtime = ScriptedRuntime(tmp_path, {"list table": "table listed"})
    assert await _ensure(runtime)
    [text] = _fed(runtime)
    assert text.index(f"delete table {TABLE}") < text.index(f"table {TABLE} {{\n{BODY}}}")
    # Deleting a table that is not there would fail the whole file.
    assert text.startswith(f"table {TABLE}\n")
    assert runtime.ran[0].argv[:2] == ("nsenter", "--net=/run/netns/zs-1")


async def test_a_table_that_is_as_it_was_left_is_not_touched(tmp_path: Path) -> None:
    runtime = ScriptedRuntime(tmp_path, {"list table": "table listed"})
    await _ensure(runtime)
    assert not await _ensure(runtime)
    assert len(_fed(runtime)) == 1


async def test_other_rules_replace_it(tmp_path: Path) -> None:
    runtime = ScriptedRuntime(tmp_path, {"list table": "table listed"})
    await _ensure(runtime)
    assert await _ensure(runtime, "\tchain d {\n\t}\n")


async def test_a_table_that_was_changed_by_hand_or_is_gone_is_replaced(tmp_path: Path) -> None:
    await _ensure(ScriptedRuntime(tmp_path, {"list table": "table listed"}))
    assert await _ensure(ScriptedRuntime(tmp_path, {"list table": "table listed otherwise"}))
    assert await _ensure(ScriptedRuntime(tmp_path, {"list table": HostCommandFailed("no such table")}))


async def test_a_record_that_cannot_be_read_costs_one_replacement(tmp_path: Path) -> None:
    runtime = ScriptedRuntime(tmp_path, {"list table": "table listed"})
    await _ensure(runtime)
    (tmp_path / "table.json").write_text("{")
    assert await _ensure(runtime)
    assert not await _ensure(runtime)


async def test_removing_needs_no_table(tmp_path: Path) -> None:
    runtime = ScriptedRuntime(tmp_path)
    await remove_table(runtime, TABLE)
    assert _fed(runtime) == [f"table {TABLE}\ndelete table {TABLE}\n"]
