"""One call over real HTTP: what arrives, what counts as well, and where it may not go."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tests.cloud.backup_storage.local.origin import origin
from tests.running import BASE, every_plugin, running
from zstack_appliance.cloud.web_hook.courier import Outcome
from zstack_appliance.cloud.web_hook.post import poster
from zstack_appliance.cloud.web_hook.settings import ALLOWED

HEADERS = {"X-Job-UUID": "1" * 32, "X-Job-Success": "true", "Content-Type": "application/json"}


PLUGINS = [
    plugin if plugin in BASE else dataclasses.replace(plugin, starts=(), tasks=(), singletons=())
    for plugin in every_plugin()
]


async def call(data: Path, url: str, *, allowed: str = "") -> Outcome:
    async with running(data, plugins=PLUGINS) as cloud:
        cloud.kernel.configs.put(ALLOWED.path, allowed)
        post = poster(cloud.kernel.as_system())
        return await post(url, HEADERS, b'{"inventory":{}}')


async def test_what_arrives(tmp_path: Path) -> None:
    async with origin(host="127.0.0.9") as server:
        server.serve("/hook?key=1", b"thanks")
        assert await call(tmp_path, f"http://127.0.0.9:{server.port}/hook?key=1", allowed="127.0.0.9") == Outcome()
        [request] = server.requests
    head = request.decode().lower()
    assert head.startswith("post /hook?key=1 http/1.1")
    assert "x-job-success: true" in head
    assert f"x-job-uuid: {'1' * 32}" in head


@pytest.mark.parametrize("status", [301, 404, 500])
async def test_anything_but_2xx_is_a_failure(tmp_path: Path, status: int) -> None:
    async with origin(host="127.0.0.9") as server:
        server.redirect("/", "http://127.0.0.9/elsewhere", status=status)
        outcome = await call(tmp_path, f"http://127.0.0.9:{server.port}/", allowed="127.0.0.0/24")
        assert outcome == Outcome(f"it answered {status}")
        assert len(server.requests) == 1, "it follows nobody elsewhere"


async def test_what_does_not_answer_or_is_not_there(tmp_path: Path) -> None:
    async with origin(host="127.0.0.9") as server:
        port = server.port
    gone = await call(tmp_path, f"http://127.0.0.9:{port}/", allowed="127.0.0.9")
    assert (gone.final, (gone.error or "").startswith("it could not be reached")) == (False, True)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "http://[::1]:1/", "http://169.254.169.254/", "http://2130706433/"]
)
async def test_where_it_may_not_go(tmp_path: Path, url: str) -> None:
    outcome = await call(tmp_path, url)
    assert outcome.final
    assert "is refused" in (outcome.error or "")
    assert "webHook.allowed" in (outcome.error or "")
