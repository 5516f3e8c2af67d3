"""Every API there is: without a session, as another account, with every argument wrong. Nothing may change.

The cases come from the built-in plugins, so a new resource is covered by being there. An exception stands in
one of the lists below with its reason, and an entry that is no longer needed is an error too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

import httpx
import pytest

import zstack_appliance.cloud
from tests.changes import unchanged
from tests.proofs.samples import UNKNOWN, Rows, arguments, wrongs
from tests.running import BASE, Caller, Running, running
from zstack_appliance.cloud.account.passwords import client_hash
from zstack_appliance.kernel.derive.route import CallRoute, QueryRoute, Routes
from zstack_appliance.kernel.edges import Graph
from zstack_appliance.kernel.job import Job
from zstack_appliance.kernel.message import Access, Create, Delete
from zstack_appliance.kernel.plugin import discover, handler_of
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT
from zstack_appliance.kernel.schema import HIDDEN, Uuid, describe, fields_of, owner_ref, root_of
from zstack_appliance.kernel.validate import decode

PLUGINS = tuple(
    plugin if plugin in BASE else dataclasses.replace(plugin, starts=(), tasks=())
    for plugin in discover(zstack_appliance.cloud.__name__)
)
"""Every built-in plugin; without hosts there is nothing for their tasks to do."""

ROUTES = Routes(
    [handler_of(entry).message for plugin in PLUGINS for entry in plugin.handlers],
    [*(cls for plugin in PLUGINS for cls in plugin.resources), Job],
)
CALLS = {route.message.__name__: route for route in reversed(ROUTES.all) if isinstance(route, CallRoute)}
QUERIES = {route.path: route for route in ROUTES.all if isinstance(route, QueryRoute) and not route.fields}

NO_SESSION = {
    "LogInByAccount": "it makes one",
    "LogInByUser": "it makes one",
    "LogOut": "whoever holds a session's uuid may end it",
    "ValidateSession": "it asks about one",
    "GetVersion": "clients ask before they log in",
    "GetCurrentTime": "clients ask before they log in",
    "IsReadyToGo": "clients ask before they log in",
}

BARE_UUIDS = {
    "CreateUserTag.resource_uuid": "of any table; tests/cloud/tag proves who may",
    "CreateSystemTag.resource_uuid": "of any table; tests/cloud/tag proves who may",
    "CreateSystemTags.resource_uuid": "of any table; tests/cloud/tag proves who may",
    "DeleteTag.uuid": "of either kind of tag; tests/cloud/tag proves who may",
    **{
        f"{name}.resource_uuid": "of any table; tests/cloud/global_config proves who may"
        for name in (
            "UpdateResourceConfig",
            "UpdateResourceConfigs",
            "DeleteResourceConfig",
            "GetResourceConfig",
            "GetResourceConfigs",
        )
    },
}
"""Arguments that name a row without a `Ref`, so that their handlers must check rights themselves."""

REFUSED = {"SYS.1003", "SYS.1007"}
"""The codes for arguments that are wrong by themselves, and for uuids of nothing."""


@dataclass
class World:
    """A cloud with somebody in it who owns nothing of the administrator's."""

    cloud: Running
    admin: Caller
    alice: Caller
    admins: Rows
    alices: Rows

    async def send(self, caller: Caller, route: CallRoute, given: dict[str, Any]) -> tuple[str, str]:
        """The code of the error that a call ends with, 400 for plain text, 200 for none; and its text."""
        with unchanged(self.cloud.kernel.store, "it was refused, but something changed"):
            answer = await _send(caller, route, given)
            if answer.status_code == 202:
                answer = await caller.client.get(answer.json()["location"], headers={"prefer": "wait=30"})
        if answer.status_code != 503:
            return str(answer.status_code), answer.text
        error = answer.json()["error"]
        return error["code"], error["details"]


async def _send(caller: Caller, route: CallRoute, given: dict[str, Any]) -> httpx.Response:
    """One call with these arguments, wherever its route wants them."""
    path = route.path
    for name, variable in zip(route.fields, _variables(route.path), strict=True):
        path = path.replace(f"{{{variable}}}", quote(str(given[name]), safe=""))
    rest = {name: value for name, value in given.items() if name not in route.fields}
    if route.method in ("POST", "PUT"):
        return await caller.send(route.method, path, {route.key: rest})
    return await caller.send(route.method, path, params=_flat(rest))


def _flat(given: dict[str, Any]) -> dict[str, Any]:
    """Arguments as a query string has them: a map is spread over its keys."""
    flat: dict[str, Any] = {}
    for name, value in given.items():
        if isinstance(value, dict):
            flat.update((f"{name}.{key}", inner) for key, inner in value.items())
        else:
            flat[name] = value
    return flat


def _variables(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


@asynccontextmanager
async def world(data: Path) -> AsyncIterator[World]:
    """Open it."""
    async with running(data, plugins=PLUGINS) as cloud, cloud.login() as admin:
        made = await admin.create("/accounts", name="alice", password=client_hash("alice"))
        graph = cloud.kernel.as_system().use(Graph)
        async with cloud.login("alice", "alice") as alice:
            store = cloud.kernel.store
            yield World(cloud, admin, alice, Rows(store, graph, ADMIN_ACCOUNT), Rows(store, graph, made["uuid"]))


def calls(*access: Access) -> list[Any]:
    return [pytest.param(route, id=name) for name, route in sorted(CALLS.items()) if route.declared.access in access]


def test_there_are_apis_to_prove() -> None:
    assert {"CreateZone", "LogInByAccount", "CreateVmInstance"} <= set(CALLS)
    assert {"/zones", "/accounts", "/vm-instances", "/appliance/jobs"} <= set(QUERIES)


def test_only_these_need_no_session() -> None:
    assert {name for name, route in CALLS.items() if not route.declared.session} == set(NO_SESSION)


def test_every_uuid_that_an_account_may_send_says_what_it_refers_to() -> None:
    pattern = next(meta.pattern for meta in get_args(Uuid)[1:] if meta.pattern)
    bare = {
        f"{name}.{field.name}"
        for name, route in CALLS.items()
        for field in fields_of(route.message)
        if route.declared.access is not Access.ADMIN
        and field.ref is None
        and any(meta.pattern == pattern for meta in field.meta)
        and not (issubclass(route.message, Create) and field.name == "resource_uuid")
    }
    assert bare == set(BARE_UUIDS), "give it a Ref, or check rights in the handler, test that, and list it"


@pytest.mark.parametrize("route", calls(*Access))
async def test_samples_are_what_the_api_accepts(tmp_path: Path, route: CallRoute) -> None:
    """Otherwise the proofs below would prove nothing: their calls would be refused for another reason."""
    async with world(tmp_path) as at:
        decode(route.message, await arguments(route, at.admins))


@pytest.mark.parametrize("route", [param for param in calls(*Access) if param.id not in NO_SESSION])
async def test_without_a_session(tmp_path: Path, route: CallRoute) -> None:
    async with world(tmp_path) as at:
        given = await arguments(route, at.admins)
        jobs = at.cloud.kernel.store.count(Job)
        nobody = Caller(at.admin.client)
        assert await at.send(nobody, route, given) == ("400", "missing header 'Authorization'\n")
        nobody.headers = {"authorization": f"OAuth {UNKNOWN}"}
        code, text = await at.send(nobody, route, given)
        assert (code, text.split(" ")[:2]) == ("ID.1001", ["Session", "expired"])
        assert at.cloud.kernel.store.count(Job) == jobs, "strangers could fill the store"


@pytest.mark.parametrize("route", calls(Access.ADMIN))
async def test_what_administrators_alone_may_call(tmp_path: Path, route: CallRoute) -> None:
    async with world(tmp_path) as at:
        code, text = await at.send(at.alice, route, await arguments(route, at.admins))
        assert (code, text) == ("ID.1002", f"only an administrator may call {route.wire}")


@pytest.mark.parametrize("route", calls(Access.OWNER, Access.ANY))
async def test_nobody_names_what_is_not_theirs(tmp_path: Path, route: CallRoute) -> None:
    """Each reference in turn points at a row of the administrator's, all others at rows of Alice's own."""
    async with world(tmp_path) as at:
        for field in fields_of(route.message):
            if field.ref is None:
                continue
            acts = field.name == "uuid" and route.declared.method != "GET"
            if root_of(field.ref.target).options.readable and not acts:
                continue
            given = await arguments(route, at.alices)
            theirs = await at.admins.of(field.ref.target)
            given[field.wire] = theirs if field.type is str else [theirs]
            code, text = await at.send(at.alice, route, given)
            assert code in ("ID.1002", "SYS.1003"), f"{field.name}: {code} {text}"
            assert theirs in text, f"{field.name} was not what was refused: {text}"


@pytest.mark.parametrize("route", calls(*Access))
async def test_every_argument_wrong(tmp_path: Path, route: CallRoute) -> None:
    async with world(tmp_path) as at:
        good = await arguments(route, at.admins)
        for field in fields_of(route.message):
            for wrong in wrongs(route, field):
                if wrong == UNKNOWN and field.name == "uuid" and issubclass(route.message, Delete):
                    continue  # What is gone counts as deleted.
                code, text = await at.send(at.admin, route, {**good, field.wire: wrong})
                assert code == "400" or code in REFUSED, f"{field.wire}={wrong!r}: {code} {text}"
                assert field.wire in text, f"{field.wire}={wrong!r} was not what was refused: {text}"


@pytest.mark.parametrize("route", [pytest.param(route, id=path) for path, route in sorted(QUERIES.items())])
async def test_a_query_shows_an_account_its_own_and_what_everybody_may_read(tmp_path: Path, route: QueryRoute) -> None:
    async with world(tmp_path) as at:
        nobody = await Caller(at.admin.client).send("GET", route.path)
        assert (nobody.status_code, nobody.text) == (400, "missing header 'Authorization'\n")
        unknown = Caller(at.admin.client, headers={"authorization": f"OAuth {UNKNOWN}"})
        assert (await unknown.refused("GET", route.path))["code"] == "ID.1001"
        theirs, own = await at.admins.of(route.resource), await at.alices.of(route.resource)
        options = root_of(route.resource).options
        if describe(route.resource).field("uuid").marked(HIDDEN):
            assert len(await at.admin.query(route.path)) >= 2
            assert await at.alice.query(route.path) == []
            return
        assert {row["uuid"] for row in await at.admin.query(route.path)} >= {theirs, own}
        seen = {row["uuid"] for row in await at.alice.query(route.path)}
        has_owner = options.owned or owner_ref(root_of(route.resource).cls) is not None
        is_own = has_owner and at.cloud.kernel.store.owner(route.resource, own) == at.alices.owner
        assert (theirs in seen) == options.readable
        assert (own in seen) == (options.readable or is_own)
