"""What a call costs in the REST door: requests per second and CPU microseconds, without a network.

Run it with ``python -m tests.bench.rest``. Each line is one kind of call, sent straight to the ASGI
application by one caller after another. The create is as wide as a real one; ``door`` answers it with a job
that is neither stored nor run, so that what remains is routing, the session, decoding and the response.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import msgspec
import trio
from starlette.types import ASGIApp, Message, Scope

from tests.running import BASE, Running, running
from zstack_appliance.api.app import make_app
from zstack_appliance.api.auth import Callers
from zstack_appliance.api.rest import Rest
from zstack_appliance.cloud.account.sessions import Sessions
from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.derive.route import Routes
from zstack_appliance.kernel.job import Job, Jobs, JobState
from zstack_appliance.kernel.message import ANY, Create, api
from zstack_appliance.kernel.plugin import Plugin, handles
from zstack_appliance.kernel.schema import Name, Text, Uuid

REQUESTS = 5000


@api("POST", "/wide-things", access=ANY, wire="bench")
class CreateWideThing(Create[Zone], frozen=True, kw_only=True):
    """As many fields as CreateVmInstance has."""

    name: Name
    description: Text | None = None
    instance_offering_uuid: Uuid | None = None
    cpu_num: Annotated[int, msgspec.Meta(ge=0)] | None = None
    memory_size: Annotated[int, msgspec.Meta(ge=0)] | None = None
    image_uuid: Uuid | None = None
    l3_network_uuids: tuple[Uuid, ...] | None = None
    type: str = "UserVm"
    root_disk_offering_uuid: Uuid | None = None
    root_disk_size: int | None = None
    data_disk_offering_uuids: tuple[Uuid, ...] | None = None
    data_disk_sizes: tuple[int, ...] | None = None
    zone_uuid: Uuid | None = None
    cluster_uuid: Uuid | None = None
    host_uuid: Uuid | None = None
    primary_storage_uuid_for_root_volume: Uuid | None = None
    default_l3_network_uuid: Uuid | None = None
    strategy: str = "InstantStart"
    root_volume_system_tags: tuple[str, ...] | None = None
    data_volume_system_tags: tuple[str, ...] | None = None


@handles(CreateWideThing)
async def nothing(_: CreateWideThing, _cloud: Cloud) -> None:
    """Do nothing."""


WIDE = Plugin(name="wide", handlers=(nothing,))
BODY = {
    "params": {
        "name": "vm-17",
        "instanceOfferingUuid": "1" * 32,
        "imageUuid": "2" * 32,
        "l3NetworkUuids": ["3" * 32],
        "cpuNum": 0,
        "memorySize": "0",
    },
    "systemTags": ["hostname::web"],
}


class NoJobs(Jobs):
    """Takes every call and forgets it."""

    async def submit(self, *_: Any, **_options: Any) -> Job:
        """A job that never was."""
        return Job(
            uuid="0" * 32,
            create_date=0,
            last_op_date=0,
            api="",
            state=JobState.RUNNING,
            timeout=1,
            request="",
        )


async def send(app: ASGIApp, method: str, path: str, session: str, body: bytes) -> int:
    """Send one request; give its status."""
    scope: Scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [
            (b"host", b"127.0.0.1:8080"),
            (b"authorization", f"OAuth {session}".encode()),
            (b"content-type", b"application/json; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"user-agent", b"bench"),
        ],
        "server": ("127.0.0.1", 8080),
        "client": ("127.0.0.1", 40000),
        "state": {},
    }
    status = 0

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def answer(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]

    await app(scope, receive, answer)
    return status


async def measure(name: str, app: ASGIApp, method: str, path: str, session: str, body: object, want: int) -> None:
    """Send one kind of call again and again, and print what it costs."""
    content = b"" if body is None else json.dumps(body).encode()
    assert await send(app, method, path, session, content) == want
    started, cpu = time.perf_counter(), time.process_time()
    for _ in range(REQUESTS):
        await send(app, method, path, session, content)
    took, used = time.perf_counter() - started, time.process_time() - cpu
    print(f"{name:34} {REQUESTS / took:8.0f}/s {used / REQUESTS * 1e6:7.0f} us CPU")


def door_alone(cloud: Running, nursery: trio.Nursery) -> ASGIApp:
    """The cloud's door before jobs that neither store nor run anything."""
    routes = Routes(cloud.kernel.bus.requests, [cls for plugin in cloud.plugins for cls in plugin.resources])
    sessions = Sessions(cloud.kernel.store, cloud.kernel.clock)
    jobs = NoJobs(cloud.portal, cloud.answers, nursery)
    return make_app(Rest(routes, cloud.portal, jobs, cloud.answers, Callers(sessions)))


async def main() -> None:
    """Measure each kind of call."""
    with tempfile.TemporaryDirectory() as folder:
        opening = running(Path(folder), plugins=(*BASE, WIDE))
        async with opening as cloud, cloud.login() as admin, trio.open_nursery() as nursery:
            session = admin.session
            zone = await admin.create("/zones", name="zone1")
            door = door_alone(cloud, nursery)
            await measure("nothing there", door, "GET", "/zstack/v1/nothing", session, None, 404)
            await measure("create, door alone", door, "POST", "/zstack/v1/wide-things", session, BODY, 202)
            rename = {"updateZone": {"name": "zone2"}}
            path = f"/zstack/v1/zones/{zone['uuid']}"
            await measure("action, door alone", door, "PUT", f"{path}/actions", session, rename, 202)
            await measure("query of one row", cloud.app, "GET", path, session, None, 200)
            await measure(
                "create and its job, no fsync", cloud.app, "POST", "/zstack/v1/wide-things", session, BODY, 202
            )


if __name__ == "__main__":
    trio.run(main)
