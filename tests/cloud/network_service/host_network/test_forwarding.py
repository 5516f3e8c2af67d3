"""What was set before us is remembered once per boot, and put back in an order that works."""

from __future__ import annotations

import json
from pathlib import Path

from tests.scripted_runtime import ScriptedRuntime
from zstack_appliance.cloud.network_service.host_network.forwarding import (
    former_settings,
    record_path,
    restore,
    switch_on,
)

NETCONF = json.dumps(
    [
        {"family": "inet", "interface": "all", "forwarding": False},
        {"family": "inet", "interface": "eth0.100", "forwarding": True},
        {"family": "inet", "interface": "default", "forwarding": False},
    ]
)


def host(data: Path, *, enabled: int, boot: str = "b1") -> ScriptedRuntime:
    """A host whose settings are so."""
    script = {
        "accept_redirects\n": f"{boot}\n{enabled}\n0\n",
        "-n kernel.random.boot_id net.ipv4.ip_forward\n": f"{boot}\n{enabled}\n",
        "netconf show": NETCONF,
    }
    return ScriptedRuntime(data, script)


def written(runtime: ScriptedRuntime) -> list[str]:
    """The settings that were written, in order."""
    return [word for ran in runtime.ran if "-w" in ran.argv for word in ran.argv if "=" in word]


async def test_it_is_switched_on_and_put_back_with_its_side_effects(tmp_path: Path) -> None:
    before = host(tmp_path, enabled=0)
    assert await switch_on(before) == ("net.ipv4.ip_forward=1",)
    after = host(tmp_path, enabled=1)
    await restore(after)
    assert written(after) == [
        "net.ipv4.ip_forward=0",
        "net.ipv4.conf.all.accept_redirects=0",
        "net/ipv4/conf/default/forwarding=0",
        "net/ipv4/conf/eth0.100/forwarding=1",
    ]
    assert not record_path(tmp_path).exists()


async def test_a_second_time_does_not_take_our_own_doing_for_what_was_before(tmp_path: Path) -> None:
    await switch_on(host(tmp_path, enabled=0))
    assert await switch_on(host(tmp_path, enabled=1)) == ()
    after = host(tmp_path, enabled=1)
    await restore(after)
    assert written(after)[0] == "net.ipv4.ip_forward=0"


async def test_where_it_was_on_before_us_it_stays_on(tmp_path: Path) -> None:
    assert await switch_on(host(tmp_path, enabled=1)) == ()
    after = host(tmp_path, enabled=1)
    assert await restore(after) == ()
    assert written(after) == []


async def test_another_boot_set_everything_anew(tmp_path: Path) -> None:
    await switch_on(host(tmp_path, enabled=0))
    rebooted = host(tmp_path, enabled=1, boot="b2")
    assert await restore(rebooted) == ()
    await switch_on(host(tmp_path, enabled=0))
    # The administrator has switched it on for good meanwhile.
    await switch_on(host(tmp_path, enabled=1, boot="b2"))
    last = host(tmp_path, enabled=1, boot="b2")
    assert await restore(last) == ()
    assert written(last) == []


async def test_what_was_switched_off_by_hand_is_left_alone(tmp_path: Path) -> None:
    await switch_on(host(tmp_path, enabled=0))
    after = host(tmp_path, enabled=0)
    assert await restore(after) == ()
    assert written(after) == []


async def test_without_a_record_nothing_is_put_back(tmp_path: Path) -> None:
    after = host(tmp_path, enabled=1)
    assert await restore(after) == ()
    assert written(after) == []


def test_all_is_not_written_twice() -> None:
    assert "net/ipv4/conf/all/forwarding" not in former_settings("0", "1", {"all": False, "eth0": False})
