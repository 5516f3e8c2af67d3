"""Where a VM would go: what the preview says is what creating one then does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.running import Caller, simulated_cloud


async def wish(caller: Caller, offering: str = "tiny") -> dict[str, Any]:
    """What a small VM on the private network asks for."""
    (image,) = await caller.query("/images", "name=tiny")
    (size,) = await caller.query("/instance-offerings", f"name={offering}")
    (network,) = await caller.query("/l3-networks", "name=net1")
    return {"imageUuid": image["uuid"], "instanceOfferingUuid": size["uuid"], "l3NetworkUuids": [network["uuid"]]}


async def placements(caller: Caller, **asked: Any) -> dict[str, Any]:
    """The preview."""
    answer = await caller.send("GET", "/appliance/placements", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_chosen_host_is_where_the_vm_then_goes(tmp_path: Path, autojump_clock: object) -> None:
    async with simulated_cloud(tmp_path, hosts=3) as cloud, cloud.login() as caller:
        asked = await wish(caller)
        for number in range(4):
            preview = await placements(caller, **asked)
            assert (preview["accepted"], preview["rejected"]) == (3, 0)
            assert preview["placements"][0]["hostUuid"] == preview["chosen"]
            vm = await caller.create("/vm-instances", name=f"vm{number}", **asked)
            assert vm["hostUuid"] == preview["chosen"]


async def test_a_host_that_takes_none_says_why_with_the_numbers(tmp_path: Path, autojump_clock: object) -> None:
    async with simulated_cloud(tmp_path, hosts=2) as cloud, cloud.login() as caller:
        asked = await wish(caller)
        off = (await caller.query("/hosts", "name=host1"))[0]["uuid"]
        await caller.do("PUT", f"/hosts/{off}/actions", {"changeHostState": {"stateEvent": "disable"}})
        preview = await placements(caller, **asked)
        assert (preview["accepted"], preview["rejected"]) == (1, 1)
        (last,) = [each for each in preview["placements"] if not each["accepted"]]
        assert (last["hostUuid"], last["filter"]) == (off, "HostStateAndHypervisor")
        assert last["reason"] == "it is Disabled and Connected; it must be Enabled and Connected"
        too_big = await placements(caller, **{**asked, "cpuNum": 1000})
        assert "chosen" not in too_big
        assert too_big["rejected"] == 2
        assert any("1000 are needed" in each["reason"] for each in too_big["placements"])


async def test_a_disk_that_fits_nowhere_is_a_reason_too(tmp_path: Path, autojump_clock: object) -> None:
    async with simulated_cloud(tmp_path, hosts=2) as cloud, cloud.login() as caller:
        preview = await placements(caller, **await wish(caller), rootDiskSize=2**60)
        assert "chosen" not in preview
        assert {each["filter"] for each in preview["placements"]} == {"PrimaryStorageCapacity"}
        assert "primary storage[ps1]" in preview["placements"][0]["reason"]


async def test_a_preview_reserves_nothing(tmp_path: Path, autojump_clock: object) -> None:
    async with simulated_cloud(tmp_path, hosts=2) as cloud, cloud.login() as caller:
        asked = await wish(caller)
        before = await caller.query("/hosts"), await caller.query("/primary-storage")
        assert await placements(caller, **asked) == await placements(caller, **asked)
        assert (await caller.query("/hosts"), await caller.query("/primary-storage")) == before


async def test_only_so_many_are_listed_and_all_are_counted(tmp_path: Path, autojump_clock: object) -> None:
    async with simulated_cloud(tmp_path, hosts=3) as cloud, cloud.login() as caller:
        preview = await placements(caller, **await wish(caller), limit=1)
        assert (preview["accepted"], len(preview["placements"])) == (3, 1)
