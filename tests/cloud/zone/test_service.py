"""Zones through the REST door, as a client meets them."""

from __future__ import annotations

from pathlib import Path

import trio
from trio.testing import MockClock

from tests.running import BASE, running


async def test_a_zone_is_made_found_changed_and_deleted(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.login() as admin:
        answer = await admin.send("POST", "/zones", {"params": {"name": "zone1", "description": "first"}})
        assert answer.status_code == 202
        done = await admin.client.get(answer.json()["location"], headers={"prefer": "wait=30"})
        assert done.status_code == 200
        zone = done.json()["inventory"]
        path = f"/zones/{zone['uuid']}"
        assert zone == {
            "uuid": zone["uuid"],
            "name": "zone1",
            "description": "first",
            "state": "Enabled",
            "type": "zstack",
            "isDefault": False,
            "createDate": "Nov 14, 2023 10:13:20 PM",
            "lastOpDate": "Nov 14, 2023 10:13:20 PM",
        }
        assert await admin.query("/zones", "name=zone1", "state=Enabled") == [zone]

        await trio.sleep(60)
        changed = await admin.do("PUT", f"{path}/actions", {"updateZone": {"name": "zone2"}})
        assert changed == {**zone, "name": "zone2", "lastOpDate": "Nov 14, 2023 10:14:20 PM"}
        disabled = await admin.do("PUT", f"{path}/actions", {"changeZoneState": {"stateEvent": "disable"}})
        assert disabled["state"] == "Disabled"
        again = await admin.do("PUT", f"{path}/actions", {"changeZoneState": {"stateEvent": "disable"}})
        assert again == disabled
        enabled = await admin.do("PUT", f"{path}/actions", {"changeZoneState": {"stateEvent": "enable"}})
        assert enabled["state"] == "Enabled"

        assert await admin.do("DELETE", path) is None
        assert await admin.query("/zones") == []
        assert await admin.do("DELETE", path) is None


async def test_at_most_one_zone_is_the_default(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.login() as admin:
        zones = [await admin.create("/zones", name=name, isDefault=True) for name in ("a", "b", "c")]

        async def defaults() -> list[str]:
            return [zone["name"] for zone in await admin.query("/zones", "isDefault=true")]

        assert await defaults() == ["c"]
        await admin.do("PUT", f"/zones/{zones[0]['uuid']}/actions", {"updateZone": {"isDefault": True}})
        assert await defaults() == ["a"]
        await admin.do("PUT", f"/zones/{zones[0]['uuid']}/actions", {"updateZone": {"isDefault": False}})
        assert await defaults() == []


async def test_zones_are_read_by_all_and_changed_by_administrators(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.login() as admin:
        zone = await admin.create("/zones", name="zone1")
        await admin.create("/accounts", name="alice", password="p")
        async with cloud.client() as client:
            login = {"logInByAccount": {"accountName": "alice", "password": "p"}}
            session = (await client.put("/zstack/v1/accounts/login", json=login)).json()["inventory"]["uuid"]
            admin.headers = {"authorization": f"OAuth {session}"}
        assert await admin.query("/zones") == [zone]
        for method, path, body in (
            ("POST", "/zones", {"params": {"name": "z"}}),
            ("PUT", f"/zones/{zone['uuid']}/actions", {"updateZone": {"name": "z"}}),
            ("DELETE", f"/zones/{zone['uuid']}", None),
        ):
            assert (await admin.refused(method, path, body))["code"] == "ID.1002"


async def test_names_as_zstack_restricts_them(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.login() as admin:
        for name in ("zone one", "区域", "a-b_c.d(e):f+g", "x" * 255):
            assert (await admin.create("/zones", name=name))["name"] == name
        for wrong in ("a/b", "x" * 256, None):
            assert (await admin.refused("POST", "/zones", {"params": {"name": wrong}}))["code"] == "SYS.1007"
