"""ZStack's legacy door, as zstack-cli meets it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from trio.testing import MockClock

from tests.api.things import THINGS
from tests.running import BASE, PASSWORD, Running, every_plugin, running
from zstack_appliance.api.rest import EXPIRED_PERIOD
from zstack_appliance.cloud.account.passwords import client_hash
from zstack_appliance.kernel.job import Job
from zstack_appliance.kernel.message import api_of, wire_name
from zstack_appliance.kernel.schema import describe

THING = "org.zstack.test.API{}ThingMsg"
LOGIN = "org.zstack.header.identity.APILogInByAccountMsg"
UNKNOWN = "f" * 32
DATE = r"Nov \d\d?, 2023 \d\d?:\d\d:\d\d [AP]M"


@dataclass
class Cli:
    """Sends messages as zstack-cli does."""

    cloud: Running
    client: httpx.AsyncClient
    session: str | None = None

    async def post(self, message: str, *, path: str = "/zstack/api/", **fields: Any) -> httpx.Response:
        """One message, as it is answered."""
        body = {message: {"session": {"uuid": self.session} if self.session else None, **fields}}
        return await self.client.post(path, content=json.dumps(body), headers={"user-agent": "cli"})

    async def answer(self, message: str, **fields: Any) -> tuple[str, dict[str, Any]]:
        """Class and content of what a message ends with."""
        state = (await self.post(message, **fields)).json()
        if state["state"] == "Processing":
            await self.cloud.jobs.wait(state["uuid"], 60)
            state = (await self.client.get(f"/zstack/api/result/{state['uuid']}")).json()
        assert isinstance(state["result"], str)
        [(name, content)] = json.loads(state["result"]).items()
        return name, content

    async def succeeds(self, message: str, **fields: Any) -> dict[str, Any]:
        """The content of a success."""
        _, content = await self.answer(message, **fields)
        assert content["success"] is True, content
        return content

    async def fails(self, message: str, **fields: Any) -> dict[str, Any]:
        """The error of a failure."""
        _, content = await self.answer(message, **fields)
        assert content["success"] is False
        assert set(content) == {"success", "error"}
        error: dict[str, Any] = content["error"]
        return error

    async def login(self, name: str = "admin", password: str = PASSWORD) -> None:
        """Open a session and use it from now on."""
        content = await self.succeeds(LOGIN, accountName=name, password=client_hash(password))
        self.session = content["inventory"]["uuid"]


@asynccontextmanager
async def door(data: Path) -> AsyncIterator[Cli]:
    async with running(data, plugins=(*BASE, THINGS)) as cloud, cloud.client() as client:
        cli = Cli(cloud, client)
        await cli.login()
        yield cli


async def test_a_call_is_processing_until_its_result_is_done(tmp_path: Path) -> None:
    async with door(tmp_path) as cli:
        begun = await cli.post(THING.format("Create"), name="a")
        assert begun.status_code == 200
        assert begun.headers["content-type"] == "application/json"
        state = begun.json()
        assert set(state) == {"uuid", "state", "createdDate"}
        assert state["state"] == "Processing"
        assert re.fullmatch(DATE, state["createdDate"])
        await cli.cloud.jobs.wait(state["uuid"], 10)
        done = (await cli.client.get(f"/zstack/api/result/{state['uuid']}")).json()
        assert {key: done[key] for key in state} == {**state, "state": "Done"}
        assert re.fullmatch(DATE, done["finishedDate"])
        [(name, content)] = json.loads(done["result"]).items()
        assert name == "org.zstack.test.APICreateThingEvent"
        assert content["success"] is True
        assert content["inventory"]["name"] == "a"


async def test_what_is_answered_at_once_is_done_and_has_no_uuid(tmp_path: Path) -> None:
    async with door(tmp_path) as cli:
        for message, fields in (
            (LOGIN, {"accountName": "admin", "password": client_hash(PASSWORD)}),
            ("org.zstack.header.zone.APIQueryZoneMsg", {"conditions": []}),
        ):
            state = (await cli.post(message, **fields)).json()
            assert set(state) == {"state", "result"}
            assert state["state"] == "Done"
        name, content = await cli.answer(LOGIN, accountName="admin", password=client_hash(PASSWORD))
        assert name == "org.zstack.header.identity.APILogInReply"
        assert len(content["inventory"]["uuid"]) == 32


async def test_the_address_may_end_in_a_slash_or_not(tmp_path: Path) -> None:
    async with door(tmp_path) as cli:
        for path in ("/zstack/api", "/zstack/api/"):
            answer = await cli.post("org.zstack.header.zone.APIQueryZoneMsg", path=path)
            assert answer.json()["state"] == "Done"


async def test_texts_stand_for_numbers_and_nulls_for_nothing(tmp_path: Path) -> None:
    async with door(tmp_path) as cli:
        content = await cli.succeeds(
            THING.format("Create"),
            name="a",
            size="7",
            shiny="true",
            labels=["x"],
            description=None,
            resourceUuid=None,
            systemTags=None,
            timeout="60000",
        )
        assert {key: content["inventory"][key] for key in ("size", "shiny", "labels")} == {
            "size": 7,
            "shiny": True,
            "labels": ["x"],
        }


async def test_a_call_may_choose_uuid_and_tags(tmp_path: Path) -> None:
    async with door(tmp_path) as cli:
        chosen = "0123456789abcdef0123456789abcdef"
        made = await cli.succeeds(THING.format("Create"), name="a", resourceUuid=chosen, userTags=["gold"])
        assert made["inventory"]["uuid"] == chosen
        query = "org.zstack.test.APIQueryThingMsg"
        tagged = await cli.succeeds(query, conditions=[{"name": "__userTag__", "op": "=", "value": "gold"}])
        assert [each["uuid"] for each in tagged["inventories"]] == [chosen]


async def test_the_time_limit_is_in_milliseconds(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with door(tmp_path) as cli:
        thing = (await cli.succeeds(THING.format("Create"), name="a"))["inventory"]
        error = await cli.fails("org.zstack.test.APIWaitForThingMsg", uuid=thing["uuid"], seconds=50, timeout=2000)
        assert error["code"] == "SYS.1001"
        assert "longer than its 2 s" in error["details"]


async def test_queries_count_sort_and_cut(tmp_path: Path) -> None:
    async with door(tmp_path) as cli:
        for name in "abc":
            await cli.succeeds(THING.format("Create"), name=name, size=ord(name) - ord("a"))
        query = "org.zstack.test.APIQueryThingMsg"
        name, page = await cli.answer(
            query,
            conditions=[{"name": "name", "op": "in", "value": "a,b,c"}, {"name": "size", "op": ">=", "value": "1"}],
            sortBy="size",
            sortDirection="desc",
            limit="1",
            replyWithCount="true",
            fields=["name"],
        )
        assert name == "org.zstack.test.APIQueryThingReply"
        assert page == {"success": True, "inventories": [{"name": "c"}], "total": 2}
        assert await cli.succeeds(query, count=True) == {"success": True, "total": 3}
        error = await cli.fails(query, conditions=[{"name": "nmae", "op": "=", "value": "x"}])
        assert "no field[nmae]" in error["details"]


async def test_errors_stand_inside_the_result(tmp_path: Path) -> None:
    async with door(tmp_path) as cli:
        error = await cli.fails(THING.format("Create"), name="a", size=500)
        assert error["code"] == "SYS.1007"
        assert "message[org.zstack.test.APICreateThingMsg]" in error["details"]
        assert (await cli.fails(THING.format("Update"), uuid=UNKNOWN, name="b"))["code"] == "SYS.1003"
        error = await cli.fails(LOGIN, accountName="admin", password="wrong")
        assert error["code"] == "ID.1000"
        assert await cli.succeeds(THING.format("Delete"), uuid=UNKNOWN) == {"success": True}


@pytest.mark.parametrize("session", [None, UNKNOWN])
async def test_without_a_good_session_everything_fails_at_once_and_leaves_nothing(
    tmp_path: Path, session: str | None
) -> None:
    async with door(tmp_path) as cli:
        cli.session = session
        for message in (THING.format("Create"), "org.zstack.test.APIQueryThingMsg"):
            state = (await cli.post(message, name="a")).json()
            assert state["state"] == "Done"
            [content] = json.loads(state["result"]).values()
            assert content["error"]["code"] == "ID.1001"
            assert "Session expired" in content["error"]["details"]
        assert cli.cloud.kernel.store.find(Job) == []


async def test_an_account_sees_and_changes_its_own_alone(tmp_path: Path) -> None:
    async with door(tmp_path) as cli:
        thing = (await cli.succeeds(THING.format("Create"), name="a"))["inventory"]
        account = "org.zstack.header.identity.APICreateAccountMsg"
        await cli.succeeds(account, name="alice", password=client_hash("wonderland"))
        await cli.login("alice", "wonderland")
        assert (await cli.succeeds("org.zstack.test.APIQueryThingMsg"))["inventories"] == []
        assert (await cli.fails(THING.format("Update"), uuid=thing["uuid"], name="b"))["code"] == "SYS.1003"
        assert (await cli.fails(account, name="bob", password=client_hash("x")))["code"] == "ID.1002"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "must have one key"),
        (b"{", "is no JSON"),
        (b"[]", "must be a JSON object"),
        (b'{"a": {}, "b": {}}', "must have one key, the message's full class, but has 2"),
        (b'{"org.zstack.Nothing": {}}', "no message has the class [org.zstack.Nothing]"),
        (b'{"org.zstack.test.APIQueryThingMsg": []}', "must be a JSON object with the message's fields"),
        (b'{"org.zstack.test.APIQueryThingMsg": {"session": "x"}}', "session"),
        (b'{"org.zstack.test.APIQueryThingMsg": {"timeout": "soon"}}', "[timeout] field is excepted an int or long"),
    ],
)
async def test_what_cannot_be_read_is_told_in_plain_text(tmp_path: Path, body: bytes, words: str) -> None:
    async with door(tmp_path) as cli:
        answer = await cli.client.post("/zstack/api/", content=body)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain")
        assert words in answer.text


async def test_a_number_that_is_none_is_told_in_plain_text(tmp_path: Path) -> None:
    async with door(tmp_path) as cli:
        answer = await cli.post(THING.format("Create"), name="a", size="many")
        assert (answer.status_code, answer.text) == (200, "[size] field is excepted an int or long, but was [many].\n")


async def test_unknown_and_old_results_are_404(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with door(tmp_path) as cli:
        assert (await cli.client.get(f"/zstack/api/result/{UNKNOWN}")).status_code == 404
        state = (await cli.post(THING.format("Create"), name="a")).json()
        await trio.sleep(cli.cloud.kernel.configs.number(EXPIRED_PERIOD.path) + 10)
        assert (await cli.client.get(f"/zstack/api/result/{state['uuid']}")).status_code == 404
        assert (await cli.client.get("/zstack/api/")).status_code == 405


async def test_every_api_and_every_queryable_resource_is_served(tmp_path: Path) -> None:
    plugins = every_plugin()
    async with running(tmp_path, plugins=plugins) as cloud, cloud.client() as client:
        cli = Cli(cloud, client)
        apis = [wire_name(message) for message in cloud.kernel.bus.requests if api_of(message) is not None]
        assert len(apis) > 80
        for wire in apis:
            # Without a session nothing is done, but a message that nobody knows would be told in plain text.
            answer = await cli.post(wire)
            assert answer.headers["content-type"] == "application/json", (wire, answer.text)
        await cli.login()
        queried = [cls for plugin in plugins for cls in plugin.resources if describe(cls).options.path is not None]
        assert len(queried) > 20
        for cls in queried:
            name = describe(cls).inventory.removesuffix("Inventory").rpartition(".")[2]
            found = await cli.succeeds(f"{describe(cls).options.wire}.APIQuery{name}Msg", limit=1)
            assert isinstance(found["inventories"], list)
