"""Access to a VM's display and serial port, from the API to the hypervisor, on simulated hosts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from tests.api.sockets import Closed, websocket
from tests.running import Caller, SimulatedCloud, simulated_cloud
from zstack_appliance.kernel.doorplate import Doorplate


async def ticket(admin: Caller, vm: dict[str, Any], **more: str) -> dict[str, Any]:
    found: dict[str, Any] = await admin.create("/consoles", vmInstanceUuid=vm["uuid"], **more)
    return found


async def new_vm(admin: Caller) -> dict[str, Any]:
    (image,), (offering,), (network,) = [
        await admin.query(path, f"name={name}")
        for path, name in (("/images", "tiny"), ("/instance-offerings", "tiny"), ("/l3-networks", "net1"))
    ]
    vm: dict[str, Any] = await admin.create(
        "/vm-instances",
        name="web",
        imageUuid=image["uuid"],
        instanceOfferingUuid=offering["uuid"],
        l3NetworkUuids=[network["uuid"]],
    )
    return vm


async def greeting(cloud: SimulatedCloud, token: str) -> bytes | str:
    async with websocket(cloud.app, f"ws://127.0.0.1:8080/console/ws?token={token}") as session:
        return await session.receive()


async def test_a_ticket_leads_to_the_display_or_the_serial_port_once(tmp_path: Path) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        vm = await new_vm(admin)
        display = await ticket(admin, vm)
        assert (display["scheme"], display["hostname"], display["port"]) == ("http", "127.0.0.1", 8080)
        assert await greeting(cloud, display["token"]) == b"RFB 003.008\n"
        with pytest.raises(Closed):
            await greeting(cloud, display["token"])
        serial = await ticket(admin, vm, targetScheme="serial")
        said = await greeting(cloud, serial["token"])
        assert isinstance(said, bytes)
        assert vm["uuid"].encode() in said


async def test_a_console_is_where_the_doors_are_or_where_the_administrator_says(tmp_path: Path) -> None:
    setting = "/global-configurations/console/proxy.overridden.ip/actions"
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        vm = await new_vm(admin)
        cloud.appliance.kernel.services[Doorplate] = Doorplate("https", "192.0.2.7", 8443)
        reached = await ticket(admin, vm)
        assert (reached["scheme"], reached["hostname"], reached["port"]) == ("https", "192.0.2.7", 8443)
        await admin.do("PUT", setting, {"updateGlobalConfig": {"value": "console.example"}})
        assert (await ticket(admin, vm))["hostname"] == "console.example"
        refused = await admin.refused("PUT", setting, {"updateGlobalConfig": {"value": "http://console.example/"}})
        assert "console.proxy.overridden.ip" in refused["details"]


async def test_a_console_ends_with_the_session_that_asked_for_it(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        vm = await new_vm(admin)
        unused = await ticket(admin, vm, targetScheme="serial")
        opened = await ticket(admin, vm, targetScheme="serial")
        url = f"ws://127.0.0.1:8080/console/ws?token={opened['token']}"
        async with websocket(cloud.app, url) as session:
            assert await session.receive()
            await admin.send("DELETE", f"/accounts/sessions/{admin.session}")
            with trio.fail_after(30), pytest.raises(Closed, match="sign in again"):
                await session.receive()
        with pytest.raises(Closed, match="ask for console access again"):
            await greeting(cloud, unused["token"])


async def test_a_vm_that_is_off_has_no_console_and_an_old_ticket_says_so(tmp_path: Path) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        vm = await new_vm(admin)
        held = await ticket(admin, vm)
        await admin.do("PUT", f"/vm-instances/{vm['uuid']}/actions", {"stopVmInstance": {}})
        refused = await admin.refused("POST", "/consoles", {"params": {"vmInstanceUuid": vm["uuid"]}})
        assert "Stopped" in refused["details"]
        with pytest.raises(Closed, match="Stopped"):
            await greeting(cloud, held["token"])
