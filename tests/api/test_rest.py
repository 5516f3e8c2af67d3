"""ZStack's REST door, as its clients meet it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
import trio
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from trio.testing import MockClock

from tests.api.rest_door import UNKNOWN, action, door
from tests.api.things import Thing
from tests.eventually import eventually
from zstack_appliance.api.protocol import PEER, PeerCredentials
from zstack_appliance.api.rest import LOGGED_OUT
from zstack_appliance.kernel.job import Job

# --- bodies ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["params", "null"])
async def test_parameters_are_wrapped_and_tags_stand_beside_them(tmp_path: Path, key: str) -> None:
    async with door(tmp_path) as (_, admin):
        body = {
            key: {"name": "a", "size": "7"},
            "systemTags": ["colour::red"],
            "userTags": ["mine"],
            "requestIp": "",
        }
        thing = await admin.do("POST", "/things", body)
        assert thing["size"] == 7
        [colour] = await admin.query("/system-tags", f"resourceUuid={thing['uuid']}")
        assert (colour["tag"], colour["inherent"], colour["resourceType"]) == ("colour::red", False, "ThingVO")
        [mine] = await admin.query("/user-tags", f"resourceUuid={thing['uuid']}")
        assert mine["tag"] == "mine"


async def test_an_action_is_chosen_by_its_key_whatever_stands_there(tmp_path: Path) -> None:
    async with door(tmp_path) as (_, admin):
        thing = await admin.create("/things", name="a")
        assert (await admin.do("PUT", action(thing), {"updateThing": None}))["name"] == "a"
        assert (await admin.do("PUT", action(thing), {"updateThing": {"name": "b"}}))["name"] == "b"
        unknown = await admin.send("PUT", action(thing), {"explodeThing": {}})
        assert unknown.status_code == 400
        assert unknown.text == f"the body doesn't contain action mapping to the URL[/v1{action(thing)}]\n"


async def test_the_path_counts_more_than_the_body(tmp_path: Path) -> None:
    async with door(tmp_path) as (_, admin):
        one, two = [await admin.create("/things", name=name) for name in ("one", "two")]
        done = await admin.do("PUT", action(one), {"updateThing": {"uuid": two["uuid"], "size": 9}})
        assert (done["uuid"], done["size"]) == (one["uuid"], 9)


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_lone_api_is_called_with_any_method_and_an_empty_body(tmp_path: Path, method: str) -> None:
    async with door(tmp_path) as (_, admin):
        thing = await admin.create("/things", name="a")
        path = f"/things//{thing['uuid']}/shelves/the%20top"
        bodies: tuple[object, ...] = (None, {}, {"params": {}})
        for body in bodies:
            assert (await admin.do(method, path, body))["description"] == "the top"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"{", "the body is no JSON"),
        (b"\xff\xff", "the body is no JSON"),
        (b"[" * 100_000, "the body is no JSON"),
        (b"[1]", "the body must be a JSON object"),
        (b'{"params": 7}', "the value of [params] must be a JSON object"),
        (b'{"params": {"name": "a", "size": "4x"}}', "[size] field is excepted an int or long, but was [4x]."),
        (b'{"params": {"name": "a", "size": 4.5}}', "[size] field is excepted an int or long, but was [4.5]."),
        (
            b'{"params": {"name": "a", "shiny": "very"}}',
            "Invalid value for boolean field [shiny], [very] is not a valid boolean string[true, false].",
        ),
    ],
)
async def test_what_is_no_request_is_answered_in_plain_text(tmp_path: Path, body: bytes, text: str) -> None:
    async with door(tmp_path) as (_, admin):
        answer = await admin.client.post("/zstack/v1/things", content=body, headers=admin.headers)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.text.startswith(text)


async def exchange(app: ASGIApp, session: str, waiting: list[Message]) -> list[Message]:
    """What a POST that arrives in these pieces is answered, piece by piece; what was not read stays."""
    sent: list[Message] = []

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"authorization", f"OAuth {session}".encode())]
    scope = {"type": "http", "method": "POST", "path": "/zstack/v1/things", "headers": headers, "scheme": "http"}
    await app({**scope, "query_string": b"", "server": ("127.0.0.1", 80)}, receive, send)
    return sent


async def test_a_body_may_be_large_but_not_any_size(tmp_path: Path) -> None:
    async with door(tmp_path) as (cloud, admin):
        start = {"type": "http.request", "body": b'{"params": {"name": "a", "unknown": "', "more_body": True}
        part = {"type": "http.request", "body": b"x" * 1024, "more_body": True}
        end = {"type": "http.request", "body": b'"}}'}
        for count, status in ((1000, 202), (1024, 413)):
            begun, *_ = await exchange(cloud.app, admin.session, [start, *[part] * count, end])
            assert begun["status"] == status
        endless: list[Message] = [start, *[part] * 5000]
        await exchange(cloud.app, admin.session, endless)
        assert len(endless) > 3900, "nothing is read once it is too much"
        known = await admin.client.post("/zstack/v1/things", content=b" " * 2**20 + b"{}", headers=admin.headers)
        assert known.status_code == 413


async def test_a_client_that_leaves_in_the_middle_of_its_body_gets_nothing(tmp_path: Path) -> None:
    async with door(tmp_path) as (cloud, admin):
        half = {"type": "http.request", "body": b'{"params"', "more_body": True}
        assert await exchange(cloud.app, admin.session, [half, {"type": "http.disconnect"}]) == []
        assert cloud.kernel.store.find(Job) == []


# --- parameters in the query string ------------------------------------------------------------------------


async def test_parameters_of_a_get_come_from_the_query_string(tmp_path: Path) -> None:
    async with door(tmp_path) as (_, admin):
        thing = await admin.create("/things", name="a", size=3)
        path = f"/things/{thing['uuid']}/size"
        text = "?times=2&tools=tape&tools=rule&options.a=1&unit=m%2B&deleteMode=&unknown=1"
        answer = await admin.send("GET", path + text)
        assert answer.status_code == 200
        assert answer.json() == {
            "thingSize": 6,
            "measuredAt": thing["createDate"],
            "remark": "m+ tape+rule {'a': '1'}",
            "things": [thing],
        }
        for wrong in ("?times=2&times=3", "?times=many"):
            assert (await admin.send("GET", path + wrong)).status_code == 400


async def test_a_delete_takes_parameters_from_the_query_string_and_may_be_repeated(tmp_path: Path) -> None:
    async with door(tmp_path) as (_, admin):
        thing = await admin.create("/things", name="a")
        for mode in ("?deleteMode=Enforcing", "?deleteMode=", ""):
            answer = await admin.call("DELETE", f"/things/{thing['uuid']}{mode}")
            assert (answer.status_code, answer.json()) == (200, {})
        wrong = await admin.refused("DELETE", f"/things/{thing['uuid']}?deleteMode=Softly")
        assert wrong["code"] == "SYS.1007"


# --- failures ----------------------------------------------------------------------------------------------


async def test_wrong_arguments_of_an_asynchronous_call_are_told_by_its_job(tmp_path: Path) -> None:
    async with door(tmp_path) as (cloud, admin):
        answer = await admin.send("POST", "/things", {"params": {"size": 101, "resourceUuid": "x"}})
        assert answer.status_code == 202
        ended = await admin.client.get(answer.json()["location"])
        assert ended.status_code == 503
        error = ended.json()["error"]
        assert error["code"] == "SYS.1007"
        assert error["description"] == "One or more API argument is invalid"
        assert set(error["opaque"]["fields"]) == {"name", "size", "resourceUuid"}
        assert error["details"] in error["opaque"]["fields"].values()
        assert [job.state.value for job in cloud.kernel.store.find(Job)] == ["Failed"]


async def test_wrong_arguments_of_a_synchronous_call_are_told_at_once(tmp_path: Path) -> None:
    async with door(tmp_path) as (_, admin):
        answer = await admin.send("GET", "/things/x/size")
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "SYS.1007"
        missing = await admin.send("GET", f"/things/{UNKNOWN}/size")
        assert missing.status_code == 503
        assert missing.json()["error"]["code"] == "SYS.1003"


async def test_an_error_comes_with_its_cause(tmp_path: Path) -> None:
    async with door(tmp_path) as (_, admin):
        thing = await admin.create("/things", name="a")
        error = await admin.refused("PUT", action(thing), {"refuseThing": {}})
        assert error["code"] == "VM.1010"
        assert error["cause"]["details"] == "its lid is missing"
        assert "elaboration" not in error


async def test_a_defect_shows_its_name_and_nothing_else(tmp_path: Path) -> None:
    async with door(tmp_path) as (cloud, admin):
        thing = await admin.create("/things", name="a")
        error = await admin.refused("PUT", action(thing), {"breakThing": {}})
        assert (error["code"], error["details"]) == (
            "SYS.1000",
            "an internal error happened: ValueError; see the log",
        )
        transport = httpx.ASGITransport(cloud.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
            answer = await client.get("/zstack/v1/things/broken", headers=admin.headers)
        assert (answer.status_code, answer.text) == (500, "an internal error happened: ValueError; see the log\n")


async def test_what_is_not_there_and_what_is_not_allowed(tmp_path: Path) -> None:
    async with door(tmp_path) as (_, admin):
        nothing = await admin.send("GET", "/nothing/here")
        assert (nothing.status_code, nothing.text) == (404, "no api mapping to /v1/nothing/here\n")
        wrong = await admin.send("DELETE", "/things")
        assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, POST")
        patch = await admin.send("PATCH", "/things")
        assert patch.status_code == 405
        head = await admin.send("HEAD", "/things")
        assert head.status_code == 200


async def test_a_websocket_has_no_business_here(tmp_path: Path) -> None:
    async with door(tmp_path) as (cloud, _):
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "websocket.connect"}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {"type": "websocket", "path": "/zstack/v1/things", "scheme": "ws", "headers": []}
        await cloud.app(scope, receive, send)
        assert [message["type"] for message in sent] == ["websocket.close"]


# --- who calls ---------------------------------------------------------------------------------------------


async def test_credentials_of_a_kind_that_is_not_understood(tmp_path: Path) -> None:
    async with door(tmp_path) as (cloud, _), cloud.client() as client:
        for path in ("/things", "/things/broken"):
            missing = await client.get(f"/zstack/v1{path}")
            assert (missing.status_code, missing.text) == (400, "missing header 'Authorization'\n")
            other = await client.get(f"/zstack/v1{path}", headers={"authorization": "Basic x"})
            assert (other.status_code, other.text) == (400, "Authorization type must be 'OAuth'\n")


async def test_an_unknown_session_fails_as_the_api_would_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async with door(tmp_path) as (cloud, admin):
        admin.headers = {"authorization": f"OAuth {UNKNOWN}"}
        for path in ("/things", "/things/broken"):
            at_once = await admin.send("GET", path)
            assert at_once.status_code == 503
            assert at_once.json()["error"]["code"] == "ID.1001"
        # The session is judged before the arguments.
        answer = await admin.send("POST", "/things", {"params": {"size": -1}})
        assert answer.status_code == 202
        assert answer.json()["location"].endswith(LOGGED_OUT)
        ended = await admin.client.get(answer.json()["location"])
        assert ended.status_code == 503
        assert ended.json()["error"]["code"] == "ID.1001"
        assert ended.json()["error"]["details"].startswith("Session expired")
        assert cloud.kernel.store.find(Job) == []


async def test_root_of_this_machine_needs_no_login_and_nobody_else_gets_that(tmp_path: Path) -> None:
    async with door(tmp_path) as (cloud, _):
        for uid, status in ((0, 202), (1000, 400)):

            async def over_a_unix_socket(scope: Scope, receive: Receive, send: Send, uid: int = uid) -> None:
                await cloud.app({**scope, "state": {PEER: PeerCredentials(1, uid, 0)}}, receive, send)

            transport = httpx.ASGITransport(over_a_unix_socket)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                answer = await client.post("/zstack/v1/things", json={"params": {"name": "a"}})
                assert answer.status_code == status
        await eventually(lambda: cloud.kernel.store.count(Thing) == 1, within=5)


# --- queries -----------------------------------------------------------------------------------------------


async def test_a_query_answers_inventories_their_classes_and_totals(tmp_path: Path) -> None:
    async with door(tmp_path) as (_, admin):
        made = [await admin.create("/things", name=f"t{size}", size=size) for size in range(3)]
        answer = await admin.send("GET", "/things?q=size%3E%3D1&sort=-size&replyWithCount=true&limit=1")
        assert answer.status_code == 200
        assert answer.json() == {
            "inventories": [made[2]],
            "total": 2,
            "schema": {"inventories[0]": "org.zstack.test.ThingInventory"},
        }
        count = await admin.send("GET", "/things?count=true")
        assert count.json()["total"] == 3
        assert "inventories" not in count.json()
        assert await admin.query("/things", "name=t1", fields="uuid") == [{"uuid": made[1]["uuid"]}]


async def test_one_row_by_its_uuid_or_none(tmp_path: Path) -> None:
    async with door(tmp_path) as (_, admin):
        thing = await admin.create("/things", name="a")
        await admin.create("/things", name="b")
        assert await admin.query(f"/things/{thing['uuid']}") == [thing]
        assert await admin.query(f"/things//{thing['uuid']}") == [thing]
        assert await admin.query(f"/things/{UNKNOWN}") == []


async def test_a_query_that_cannot_be_read_or_answered(tmp_path: Path) -> None:
    async with door(tmp_path) as (_, admin):
        for text in ("q=name", "limit=many", "start=-"):
            unreadable = await admin.send("GET", f"/things?{text}")
            assert unreadable.status_code == 400, text
        unknown = await admin.send("GET", "/things?q=colour=red")
        assert unknown.status_code == 503
        assert unknown.json()["error"]["code"] == "SYS.1007"


async def test_a_schema_is_added_to_other_replies_on_request(tmp_path: Path) -> None:
    async with door(tmp_path) as (_, admin):
        thing = await admin.create("/things", name="a")
        answer = await admin.send("GET", f"/things/{thing['uuid']}/size", headers={"x-json-schema": "true"})
        assert answer.json()["schema"] == {"things[0]": "org.zstack.test.ThingInventory"}


async def test_time_moves_with_the_clock(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with door(tmp_path) as (_, admin):
        await trio.sleep(61)
        thing = await admin.create("/things", name="a")
        assert thing["createDate"] == "Nov 14, 2023 10:14:21 PM"
