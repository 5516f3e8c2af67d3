"""An appliance as its users have it: a process of its own, reached through its doors alone.

Primitives: `Live` (starts, kills, stops and calls one) and `Refused` (a call that it answered with an error).
For use inside `tests.system.host` alone: what the appliance makes goes with that host.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import trio

START_SECONDS = 60.0
"""Until an appliance that starts counts as hung, on a machine that is busy with guests."""

JOB_SECONDS = 120.0
_LONG_POLL = {"Prefer": "wait=30"}


class Refused(Exception):
    """A call ended with an error; the text is ZStack's error code whole."""


@dataclass
class Live:
    """One appliance on this host.

    Args:
        data: its data folder.
        arguments: for ``up``, besides the folder and the address.
        program: how it is started.
    """

    data: Path
    arguments: tuple[str, ...] = ()
    program: tuple[str, ...] = (sys.executable, "-m", "zstack_appliance")
    process: trio.Process | None = None
    url: str = ""
    _client: httpx.AsyncClient | None = field(default=None, repr=False)

    @property
    def log(self) -> Path:
        """What it wrote to standard error, all starts together."""
        return self.data.with_name(f"{self.data.name}.log")

    @property
    def instance(self) -> str:
        """The six digits that mark all it makes."""
        return (self.data / "instance").read_text().strip()

    async def start(self) -> float:
        """Run it; the seconds until it said that it is ready.

        Raises:
            AssertionError: it ended instead; with its log's end.
            TooSlowError: it said nothing for `START_SECONDS`.
        """
        began = trio.current_time()
        argv = [*self.program, "up", "--data", str(self.data), *self.arguments]
        with self.log.open("ab") as log:
            self.process = await trio.lowlevel.open_process(
                [*argv, "--listen", "127.0.0.1:0"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
            )
        assert self.process.stdout is not None
        said = b""
        with trio.fail_after(START_SECONDS):
            while not said.endswith(b"\n"):
                chunk = await self.process.stdout.receive_some()
                assert chunk, f"the appliance ended at its start:\n{self.tail()}"
                said += chunk
        ready = re.fullmatch(r"ready (http://\S+/)\n", said.decode())
        assert ready, said
        self.url = ready.group(1)
        transport = httpx.AsyncHTTPTransport(uds=str(self.data / "run" / "api.sock"))
        self._client = httpx.AsyncClient(transport=transport, base_url="http://localhost/zstack/v1", timeout=60)
        return trio.current_time() - began

    async def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self.process.kill()
        await self._gone()

    async def stop(self) -> int:
        """Ask it to end; its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return await self._gone()

    async def _gone(self) -> int:
        assert self.process is not None
        assert self.process.stdout is not None
        with trio.fail_after(START_SECONDS):
            status = await self.process.wait()
        await self.process.stdout.aclose()
        self.process = None
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
        return status

    def tail(self, lines: int = 40) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    async def query(self, path: str, **conditions: str) -> list[dict[str, Any]]:
        """The inventories below a path whose fields equal these values."""
        return await self.ask(path, {"q": [f"{name}={value}" for name, value in conditions.items()]})

    async def ask(self, path: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """The inventories below a path, by whatever parameters a query takes."""
        answer = await self._http().get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["inventories"]
        return found

    async def orphans(self) -> list[dict[str, Any]]:
        """What the appliance itself finds on hosts without a record, or in records without a thing."""
        answer = await self._http().get("/appliance/orphans")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["orphans"]
        return found

    async def one(self, path: str, name: str) -> str:
        """The uuid of the one resource of this name."""
        (found,) = await self.query(path, name=name)
        return str(found["uuid"])

    async def submit(self, method: str, path: str, body: dict[str, Any] | None = None) -> str:
        """Make an asynchronous call; where its job is asked for."""
        answer = await self._http().request(method, path, json=body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["location"])

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Make an asynchronous call and wait for its result.

        Raises:
            Refused: it failed.
        """
        return await self.result(await self.submit(method, path, body))

    async def result(self, location: str) -> dict[str, Any]:
        """Wait for a job's result.

        Raises:
            Refused: it failed.
        """
        with trio.fail_after(JOB_SECONDS):
            while True:
                answer = await self._http().get(location, headers=_LONG_POLL)
                if answer.status_code != 202:
                    break
        found: dict[str, Any] = answer.json()
        if answer.status_code != 200:
            raise Refused(str(found))
        return found

    async def new_vm_body(self, name: str, *, tags: tuple[str, ...] = ()) -> dict[str, Any]:
        """The body that creates a VM of the first cloud's smallest offering on its private network."""
        params = {
            "name": name,
            "imageUuid": await self.one("/images", "tiny"),
            "instanceOfferingUuid": await self.one("/instance-offerings", "tiny"),
            "l3NetworkUuids": [await self.one("/l3-networks", "net1")],
        }
        return {"params": params, "systemTags": list(tags)}

    async def create_vm(self, name: str) -> dict[str, Any]:
        """Create a VM and wait until it runs."""
        created: dict[str, Any] = (await self.call("POST", "/vm-instances", await self.new_vm_body(name)))["inventory"]
        return created

    def _http(self) -> httpx.AsyncClient:
        assert self._client is not None, "the appliance does not run"
        return self._client


@asynccontextmanager
async def live(data: Path, *arguments: str, program: tuple[str, ...] = Live.program) -> AsyncIterator[Live]:
    """A running appliance for the length of the block, however that ends."""
    appliance = Live(data, arguments, program)
    try:
        await appliance.start()
        yield appliance
    finally:
        if appliance.process is not None:
            with trio.CancelScope(shield=True):
                await appliance.kill()
