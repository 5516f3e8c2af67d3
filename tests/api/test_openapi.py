from __future__ import annotations

from pathlib import Path

from tests.api.things import THINGS
from tests.running import BASE, running
from zstack_appliance.version import VERSION


async def test_the_door_describes_itself_without_a_session(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=(*BASE, THINGS)) as cloud, cloud.client() as client:
        answer = await client.get("/zstack/v1/appliance/openapi.json")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["info"]["version"] == VERSION
        assert "/things/{uuid}" in answer.json()["paths"]
        assert (await client.get("/zstack/v1/appliance/openapi.json")).content == answer.content
