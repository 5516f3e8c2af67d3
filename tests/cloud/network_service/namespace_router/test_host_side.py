"""The order in which a router is made, and that a refusal touches nothing."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from tests.cloud.network_service.namespace_router.specs import GUESTS, PUBLIC, SPEC
from tests.scripted_runtime import ScriptedRuntime
from zstack_appliance.cloud.network_service.namespace_router.host_side import apply_router, remove_router
from zstack_appliance.cloud.network_service.namespace_router.wire import ApplyRouter, RemoveRouter
from zstack_appliance.kernel.remote import HostCommandFailed

NAMESPACE = "zs-ab12cd-3333333"
LOOK = "link show type veth"


def script(
    *, bridges: tuple[str, ...] = (GUESTS, PUBLIC), ends: tuple[object, ...] = ()
) -> dict[str, str | HostCommandFailed]:
    """A host that has these bridges and ends of links, and no namespace."""
    rows = [{"ifname": name, "flags": []} for name in bridges]
    return {LOOK: f"{json.dumps(ends)}\n{json.dumps(rows)}\n", "list table": "table listed"}


async def test_the_filter_is_in_force_before_the_links_come_up_and_dnsmasq_comes_last(tmp_path: Path) -> None:
    runtime = ScriptedRuntime(tmp_path, script())
    made = await apply_router(ApplyRouter(router=SPEC), runtime)
    assert made.namespace == NAMESPACE
    words = [ran.text for ran in runtime.ran]

    def position(part: str) -> int:
        return next(number for number, text in enumerate(words) if part in text)

    order = ["netns add", "net.ipv4.ip_forward=1", "policy drop", "link set dev wan up", "--conf-file="]
    positions = [position(part) for part in order]
    assert positions == sorted(positions)
    assert positions[-1] == len(words) - 1


async def test_a_router_costs_few_processes(tmp_path: Path) -> None:
    runtime = ScriptedRuntime(tmp_path, script())
    await apply_router(ApplyRouter(router=SPEC), runtime)
    assert len(runtime.ran) == 7


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (script(bridges=(GUESTS,)), f"no bridge {PUBLIC}"),
        (script(ends=({"ifname": "ziab12cd3333333", "ifalias": "3" * 7 + "4" * 25},)), "begins like"),
    ],
)
async def test_what_cannot_be_made_is_refused_before_anything_is_changed(
    tmp_path: Path, answers: dict[str, str | HostCommandFailed], reason: str
) -> None:
    runtime = ScriptedRuntime(tmp_path, answers)
    with pytest.raises(HostCommandFailed, match=reason):
        await apply_router(ApplyRouter(router=SPEC), runtime)
    assert len(runtime.ran) == 1


async def test_a_faulty_description_is_refused_without_a_look_at_the_host(tmp_path: Path) -> None:
    runtime = ScriptedRuntime(tmp_path, script())
    with pytest.raises(HostCommandFailed, match="SNAT needs a public address"):
        await apply_router(ApplyRouter(router=msgspec.structs.replace(SPEC, public=None)), runtime)
    assert runtime.ran == []


async def test_a_name_without_a_namespace_is_replaced(tmp_path: Path) -> None:
    answers = script()
    answers[LOOK] = f"{answers[LOOK]}{json.dumps([{'name': NAMESPACE}])}\n"
    answers["address show"] = HostCommandFailed("setting the network namespace failed: Invalid argument")
    runtime = ScriptedRuntime(tmp_path, answers)
    await apply_router(ApplyRouter(router=SPEC), runtime)
    assert runtime.changes()[:2] == [f"netns delete {NAMESPACE}", f"netns add {NAMESPACE}"]


async def test_removing_what_is_not_there_does_nothing(tmp_path: Path) -> None:
    runtime = ScriptedRuntime(tmp_path, script())
    gone = await remove_router(RemoveRouter(l3_network_uuid=SPEC.l3_network_uuid), runtime)
    assert gone.changed == ()
    assert runtime.changes() == []


async def test_another_networks_router_is_not_removed(tmp_path: Path) -> None:
    runtime = ScriptedRuntime(tmp_path, script(ends=({"ifname": "ziab12cd3333333", "ifalias": "4" * 32},)))
    kept = await remove_router(RemoveRouter(l3_network_uuid=SPEC.l3_network_uuid), runtime)
    assert "4" * 32 in kept.notes[0]
    assert runtime.changes() == []
