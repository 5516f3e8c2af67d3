from __future__ import annotations

from pathlib import Path

from tests.running import BASE, running
from zstack_appliance.cloud.account.passwords import client_hash
from zstack_appliance.cloud.zql.plugin import plugin as zql


async def test_zql_is_answered_at_once_with_dates_as_they_are_printed(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=(*BASE, zql)) as cloud, cloud.login() as admin:
        zone = await admin.create("/zones", name="z1")
        text = "query zone where name = 'z1' return with (total) named as 'zones'; count zone"
        answer = await admin.send("GET", "/zql", params={"zql": text})
        assert answer.status_code == 200
        assert answer.json() == {"results": [{"inventories": [zone], "total": 1, "name": "zones"}, {"total": 1}]}


async def test_what_is_no_zql_is_an_error_of_the_call(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=(*BASE, zql)) as cloud, cloud.login() as admin:
        for text, words in (("select 1", "expected query, count or sum"), ("query nothing", "no resource[nothing]")):
            answer = await admin.send("GET", "/zql", params={"zql": text})
            assert answer.status_code == 503
            assert answer.json()["error"]["code"] == "SYS.1007"
            assert words in answer.json()["error"]["details"]
        assert "mandatory" in (await admin.refused("GET", "/zql"))["details"]


async def test_an_account_is_answered_with_its_own_rows(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=(*BASE, zql)) as cloud, cloud.login() as admin:
        await admin.create("/accounts", name="alice", password=client_hash("wonderland"))
        async with cloud.login("alice", "wonderland") as alice:
            answer = await alice.send("GET", "/zql", params={"zql": "query account; count account"})
            seen = [each["name"] for each in answer.json()["results"][0]["inventories"]]
            assert seen in (["alice"], [])
            assert answer.json()["results"][1]["total"] == len(seen)
        assert (await cloud.client().get("/zstack/v1/zql", params={"zql": "query zone"})).status_code == 400
