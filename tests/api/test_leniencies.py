"""What both of ZStack's doors put up with, each leniency once; clients in the field rely on every one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.api.things import THINGS, WIRE
from tests.running import BASE, Caller, Running, running

UUID = "5" * 32
"""Of the one thing that there is before each call."""

NEW = "6" * 32


@dataclass(frozen=True)
class Rest:
    """A call at the REST door; the path is all of it.

    Args:
        put_up_with: what is odd about it.
        method: of the request.
        path: as sent; `UUID` is a thing of size 7.
        body: sent as it is; anything but bytes as JSON.
        expected: members of what the call ends with: of its inventory, of its first one, or of the body.
    """

    put_up_with: str
    method: str
    path: str
    body: object = None
    expected: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


MADE = {"name": "new", "size": 1}
NAMED = {"name": "new"}
FOUND = {"uuid": UUID}
V1 = "/zstack/v1"
THING = f"{V1}/things/{UUID}"
SIZE = f"{THING}/size"
SHELF = f"{THING}/shelves/top"
ON_TOP = {"description": "top"}
ALL = f"{V1}/things"
ACTIONS = f"{THING}/actions"


def made(params: dict[str, Any], **beside: object) -> dict[str, Any]:
    """The body of a create."""
    return {"params": params, **beside}


REST = [
    # --- addresses
    Rest("a slash at the end", "GET", f"{V1}/things/", expected=FOUND),
    Rest("double slashes between elements", "GET", f"{V1}//things//{UUID}", expected=FOUND),
    Rest("double slashes before the version", "GET", f"/zstack//v1/things/{UUID}", expected=FOUND),
    Rest("double slashes at the beginning", "GET", f"//zstack/v1/things/{UUID}", expected=FOUND),
    Rest("no context path", "GET", f"/v1/things/{UUID}", expected=FOUND),
    Rest("percent-encoded letters in the path", "GET", f"{V1}/thing%73/{UUID}", expected=FOUND),
    # --- methods
    Rest("GET where only POST is declared", "GET", SHELF, expected=ON_TOP),
    Rest("PUT where only POST is declared", "PUT", SHELF, {}, ON_TOP),
    Rest("POST where only GET is declared", "POST", SIZE, {}, {"thingSize": 7}),
    # --- bodies
    Rest("no body", "POST", SHELF, b"", ON_TOP),
    Rest("a body of null", "POST", SHELF, b"null", ON_TOP),
    Rest("an empty object", "POST", SHELF, {}, ON_TOP),
    Rest("empty parameters", "POST", SHELF, made({}), ON_TOP),
    Rest("null for parameters", "POST", SHELF, {"params": None}, ON_TOP),
    Rest("the text null as the key", "POST", ALL, {"null": {"name": "new"}}, MADE),
    Rest("null for an action's parameters", "PUT", ACTIONS, {"updateThing": None}, {"size": 7}),
    Rest("params for an action's key beside it", "PUT", ACTIONS, {"updateThing": {"size": 8}, "x": 1}, {"size": 8}),
    Rest("unknown keys beside the parameters", "POST", ALL, made(NAMED, requestIp=""), MADE),
    Rest("unknown keys inside them", "POST", ALL, {"params": {"name": "new", "no": {"x": 1}}}, MADE),
    Rest("null for what may be left out", "POST", ALL, made({"name": "new", "size": None}), MADE),
    Rest("null for the tags", "POST", ALL, made(NAMED, systemTags=None, userTags=None), MADE),
    Rest("no content type", "POST", ALL, b'{"params":{"name":"new"}}', MADE, {"content-type": ""}),
    # --- values
    Rest("a number as text", "POST", ALL, made({"name": "new", "size": "4"}), {"size": 4}),
    Rest("a whole number with a fraction", "POST", ALL, made({"name": "new", "size": 4.0}), {"size": 4}),
    Rest("a boolean as text", "POST", ALL, made({"name": "new", "shiny": "true"}), {"shiny": True}),
    Rest("a boolean in capitals", "POST", ALL, made({"name": "new", "shiny": "TRUE"}), {"shiny": True}),
    Rest("a text as number", "POST", ALL, made({"name": 17}), {"name": "17"}),
    Rest("blanks around a text", "POST", ALL, made({"name": "  new "}), MADE),
    Rest("blanks around a number", "POST", ALL, made({"name": "new", "size": " 4 "}), {"size": 4}),
    Rest("empty text for a number", "POST", ALL, made({"name": "new", "size": ""}), MADE),
    Rest("empty text for a description", "POST", ALL, made({"name": "new", "description": ""}), MADE),
    Rest("one value for a list", "POST", ALL, made({"name": "new", "labels": "a"}), {"labels": ["a"]}),
    # --- query strings
    Rest("an unknown parameter", "GET", f"{SIZE}?colour=red", expected={"thingSize": 7}),
    Rest("a list by number", "GET", f"{SIZE}?unit=m&tools.0=a&tools.1=b", expected={"remark": "m a+b None"}),
    Rest("a list by repetition", "GET", f"{SIZE}?unit=m&tools=a&tools=b", expected={"remark": "m a+b None"}),
    Rest("an empty deleteMode", "DELETE", f"{THING}?deleteMode="),
    Rest("deleting what is not there", "DELETE", f"{V1}/things/{NEW}?deleteMode=Permissive"),
    Rest("empty paging parameters", "GET", f"{ALL}?limit=&start=&count=&sort=&fields=&filterName=", expected=FOUND),
    Rest("groupBy in a query", "GET", f"{ALL}?groupBy=name", expected=FOUND),
    Rest("a plus that became a blank", "GET", f"{ALL}?sort=+name", expected=FOUND),
    Rest("the same condition twice", "GET", f"{ALL}?q=size=7&q=size=7", expected=FOUND),
    Rest("blanks around a condition's name", "GET", f"{ALL}?q=%20size%20=7", expected=FOUND),
    Rest("words behind an operator of words", "GET", f"{ALL}?q=size%20not%20null%20please", expected=FOUND),
    Rest("is not null for not null", "GET", f"{ALL}?q=size%20is%20not%20null", expected=FOUND),
    # --- headers
    Rest("a lower-case scheme of credentials", "GET", ALL, expected=FOUND, headers={"authorization": "oauth {}"}),
    Rest("blanks in the credentials", "GET", ALL, expected=FOUND, headers={"authorization": "OAuth   {} "}),
    Rest("an address of the request", "GET", ALL, expected=FOUND, headers={"x-request-ip": "nobody knows"}),
]  # fmt: skip


@asynccontextmanager
async def door(data: Path) -> AsyncIterator[tuple[Running, Caller]]:
    """A cloud with one thing, and its administrator."""
    async with running(data, plugins=(*BASE, THINGS)) as cloud, cloud.login() as admin:
        await admin.create("/things", name="first", size=7, resourceUuid=UUID)
        yield cloud, admin


@pytest.mark.parametrize("call", REST, ids=lambda call: call.put_up_with)
async def test_the_rest_door_puts_up_with(tmp_path: Path, call: Rest) -> None:
    async with door(tmp_path) as (_, admin):
        content = call.body if isinstance(call.body, bytes) else json.dumps(call.body) if call.body is not None else b""
        given = {name: value.format(admin.session) for name, value in call.headers.items()}
        headers = {**admin.headers, "content-type": "application/json", **given}
        answer = await admin.client.request(
            call.method, f"http://127.0.0.1:8080{call.path}", content=content, headers=headers
        )
        while answer.status_code == 202:
            answer = await admin.client.get(answer.json()["location"], headers={"prefer": "wait=30"})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        found = body.get("inventory") or next(iter(body.get("inventories", ())), body)
        assert {name: found.get(name) for name in call.expected} == call.expected


@dataclass(frozen=True)
class Legacy:
    """A call at the message door; its session is added.

    Args:
        put_up_with: what is odd about it.
        message: simple name of the message.
        fields: its fields.
        expected: members of what the call ends with.
        path: of the door.
    """

    put_up_with: str
    message: str
    fields: dict[str, Any] = field(default_factory=dict)
    expected: dict[str, Any] = field(default_factory=dict)
    path: str = "/zstack/api/"


def where(name: str, op: str, value: object = None) -> dict[str, Any]:
    """A query message's fields."""
    return {"conditions": [{"name": name, "op": op, "value": value}]}


QUERY = "APIQueryThingMsg"
CREATE = "APICreateThingMsg"

LEGACY = [
    Legacy("no slash at the end of the address", QUERY, {}, FOUND, "/zstack/api"),
    Legacy("double slashes in the address", QUERY, {}, FOUND, "/zstack//api//"),
    Legacy("every scalar as text", CREATE, {"name": "new", "size": "4", "shiny": "true"}, {"size": 4, "shiny": True}),
    Legacy("nulls for what may be left out", CREATE, {"name": "new", "size": None, "resourceUuid": None}, MADE),
    Legacy("empty text for what is no text", CREATE, {"name": "new", "size": ""}, MADE),
    Legacy("unknown fields", CREATE, {"name": "new", "serviceId": "api", "headers": {}, "id": "1"}, MADE),
    Legacy("the time limit as text", CREATE, {"name": "new", "timeout": "60000"}, MADE),
    Legacy("no time limit", CREATE, {"name": "new", "timeout": None}, MADE),
    Legacy("one value for a list", CREATE, {"name": "new", "labels": "a"}, {"labels": ["a"]}),
    Legacy("an operator in capitals", QUERY, where("size", "IN", "6,7"), FOUND),
    Legacy("blanks inside an operator", QUERY, where("size", "is  not  null", ""), FOUND),
    Legacy("a list as a list", QUERY, where("size", "in", [6, 7]), FOUND),
    Legacy("a value that is no text", QUERY, where("size", "=", 7), FOUND),
    Legacy("a boolean value", QUERY, where("shiny", "=", False), FOUND),
    Legacy("blanks around a condition's name", QUERY, where(" size ", "=", "7"), FOUND),
    Legacy("paging as text", QUERY, {"limit": "5", "start": "0", "count": "false", "replyWithCount": "true"}, FOUND),
    Legacy("nulls for paging", QUERY, {"limit": None, "start": None, "sortBy": None, "fields": None}, FOUND),
    Legacy("groupBy in a query", QUERY, {"groupBy": "name"}, FOUND),
    Legacy("an empty deleteMode", "APIDeleteThingMsg", {"uuid": UUID, "deleteMode": ""}),
    Legacy("deleting what is not there", "APIDeleteThingMsg", {"uuid": NEW}),
]


@pytest.mark.parametrize("call", LEGACY, ids=lambda call: call.put_up_with)
async def test_the_message_door_puts_up_with(tmp_path: Path, call: Legacy) -> None:
    async with door(tmp_path) as (cloud, admin):
        body = {f"{WIRE}.{call.message}": {**call.fields, "session": {"uuid": admin.session}}}
        answer = await admin.client.post(f"http://127.0.0.1:8080{call.path}", json=body)
        state = answer.json()
        if state["state"] == "Processing":
            await cloud.jobs.wait(state["uuid"], 60)
            state = (await admin.client.get(f"http://127.0.0.1:8080/zstack/api/result/{state['uuid']}")).json()
        [reply] = json.loads(state["result"]).values()
        assert reply["success"], reply
        found = reply.get("inventory") or next(iter(reply.get("inventories", ())), reply)
        assert {name: found.get(name) for name in call.expected} == call.expected
