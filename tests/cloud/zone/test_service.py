"""Zones through the REST door, as a client meets them."""

from __future__ import annotations

from pathlib import Path

import trio

from tests.running import BASE, running


async def test_a_zone_lives_and_goes(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.login() as admin:
        answer = await admin.send("POST", "/zones", {"params": {"name": "zone1", "description": "first"}})
        assert answer.status_code == 202
        location = answer.json()["location"]
        assert location.startswith("http://127.0.0.1:8080/zstack/v1/api-jobs/")

        done = await admin.client.get(location, headers={"prefer": "wait=30"})
        assert done.status_code == 200
        zone = done.json()["inventory"]
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
        assert await admin.query("/zones", "name=zone1") == [zone]
