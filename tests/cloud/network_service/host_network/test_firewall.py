"""Firewalls of others are recognised, opened where they leave room, and closed again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.scripted_runtime import ScriptedRuntime
from zstack_appliance.cloud.network_service.host_network.firewall import (
    Chain,
    Rule,
    close_firewalls,
    obstacles,
    open_firewalls,
    our_rules,
)

FORWARD = Chain("ip", "filter", "FORWARD", "forward", "drop")
DOCKER_USER = Chain("ip", "filter", "DOCKER-USER")


def host(data: Path, *, rules: list[dict[str, Any]] | None = None, chains: tuple[Chain, ...] = ()) -> ScriptedRuntime:
    """A host with these chains, and these rules in DOCKER-USER."""
    listed = [
        {
            "chain": {
                "family": c.family,
                "table": c.table,
                "name": c.name,
                "handle": 1,
                "hook": c.hook,
                "policy": c.policy,
            }
        }
        for c in chains
    ]
    of_rules = [{"rule": {"family": "ip", "table": "filter", "chain": "DOCKER-USER", **rule}} for rule in rules or []]
    script = {
        "list chains": json.dumps({"nftables": [{"metainfo": {}}, *listed]}),
        "list chain ip filter DOCKER-USER": json.dumps({"nftables": of_rules}),
        "list chain ip filter FORWARD": json.dumps({"nftables": []}),
    }
    return ScriptedRuntime(data, script)


def fed(runtime: ScriptedRuntime) -> list[str]:
    """What `nft` was told to do."""
    return [line for ran in runtime.ran if ran.argv == ("nft", "-f", "-") for line in ran.stdin.splitlines()]


def test_a_host_without_firewalls_has_no_obstacles() -> None:
    harmless = [
        Chain("ip", "filter", "FORWARD", "forward", "accept"),
        Chain("inet", "filter", "input", "input", "drop"),
        Chain("ip", "zs_ab12cd", "forward", "forward", "drop"),
        DOCKER_USER,
    ]
    assert obstacles(harmless, "ab12cd") == []


def test_docker_is_opened_where_it_leaves_room() -> None:
    [obstacle] = obstacles([FORWARD, DOCKER_USER], "ab12cd")
    assert (obstacle.opening, obstacle.note) == ("ip filter DOCKER-USER", None)


def test_without_docker_the_head_of_the_chain_is_taken() -> None:
    [obstacle] = obstacles([FORWARD], "ab12cd")
    assert obstacle.opening == "ip filter FORWARD"


def test_what_we_cannot_open_is_for_the_administrator() -> None:
    strict = Chain("inet", "mine", "passing", "forward", "drop")
    firewalld = Chain("inet", "firewalld", "filter_FORWARD", "forward", "accept")
    found = obstacles([strict, firewalld], "ab12cd")
    assert [one.opening for one in found] == [None, None]
    assert "inet mine passing" in (found[0].note or "")
    assert "firewall-cmd" in (found[1].note or "")
    assert all("zbab12cd*" in (one.note or "") for one in found)


async def test_rules_are_added_once_and_carry_the_id(tmp_path: Path) -> None:
    runtime = host(tmp_path, chains=(FORWARD, DOCKER_USER))
    changed, notes = await open_firewalls(runtime)
    assert notes == []
    assert fed(runtime) == changed
    assert [line.split()[:5] for line in changed] == [["insert", "rule", "ip", "filter", "DOCKER-USER"]] * 2
    assert all('comment "zs_ab12cd"' in line and '"zbab12cd*"' in line for line in changed)
    present = [{"handle": 7, "comment": "zs_ab12cd"}, {"handle": 8, "comment": "zs_ab12cd"}]
    again = host(tmp_path, chains=(FORWARD, DOCKER_USER), rules=present)
    assert await open_firewalls(again) == ([], [])
    assert fed(again) == []


async def test_half_of_the_rules_is_replaced_by_both(tmp_path: Path) -> None:
    runtime = host(tmp_path, chains=(FORWARD, DOCKER_USER), rules=[{"handle": 7, "comment": "zs_ab12cd"}])
    await open_firewalls(runtime)
    first, *others = fed(runtime)
    assert first == "delete rule ip filter DOCKER-USER handle 7"
    assert len(others) == 2


async def test_only_our_rules_are_taken_away(tmp_path: Path) -> None:
    theirs: list[dict[str, Any]] = [{"handle": 8, "comment": "zs_ffffff"}, {"handle": 9}]
    rules = [{"handle": 7, "comment": "zs_ab12cd"}, *theirs]
    runtime = host(tmp_path, chains=(FORWARD, DOCKER_USER), rules=rules)
    assert await our_rules(runtime) == [Rule("ip", "filter", "DOCKER-USER", 7, "zs_ab12cd")]
    await close_firewalls(runtime)
    assert fed(runtime) == ["delete rule ip filter DOCKER-USER handle 7"]


async def test_nothing_to_close_starts_no_change(tmp_path: Path) -> None:
    runtime = host(tmp_path)
    assert await close_firewalls(runtime) == []
    assert fed(runtime) == []
