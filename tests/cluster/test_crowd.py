"""Several nodes are one cloud: what one does the others know, and each serves its own."""

from __future__ import annotations

from pathlib import Path

from trio.testing import MockClock

from tests.cluster.crowd import crowd, digests
from tests.scenarios.vms import new_vm


async def test_a_vm_made_through_any_node_is_known_to_all(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with crowd(tmp_path, "a", "b", "c") as nodes:
        for name in "abc":
            async with nodes[name].login() as admin:
                vm = await new_vm(admin, f"vm-{name}")
                assert vm["state"] == "Running"
        await nodes.agree()
        assert len(set((await digests(nodes)).values())) == 1
