"""Sends what is due: `Courier`, which keeps some calls in flight and lets none of them hold up the others.

An account has so many calls in flight at once and so has a host, so that one that hangs is in nobody's way. A call
that fails is tried again every two seconds, 15 times; then it is given up, which stays recorded.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Protocol

import msgspec
import trio

from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.job import Job, JobState
from zstack_appliance.kernel.schema import describe
from zstack_appliance.kernel.store import Batch, Tx
from zstack_appliance.kernel.web_hook import HookState, WebHook

RETRIES = 15
RETRY_SECONDS = 2.0

IN_FLIGHT = 64
"""Calls at once."""
OF_AN_ACCOUNT = 8
TO_A_HOST = 4

_WINDOW = 1000
"""How many due calls are looked at for some that may go."""

_TABLE = describe(WebHook).table
_DUE = f"SELECT uuid, owner_uuid, host, next_try FROM {_TABLE} WHERE state = ? ORDER BY next_try LIMIT ?"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one call: None is well, else why not."""

    error: str | None = None
    final: bool = False
    """Whether trying again is of no use."""


class Post(Protocol):
    """Makes one call."""

    async def __call__(self, url: str, headers: dict[str, str], body: bytes) -> Outcome:
        """Post, within a time limit of its own."""


class Courier:
    """Sends.

    Args:
        cloud: the appliance.
        post: makes one call.
    """

    def __init__(self, cloud: Cloud, post: Post) -> None:
        self._cloud = cloud
        self._post = post
        self._flying: dict[str, tuple[str, str]] = {}
        """By hook, the account and the host that count."""
        self._news = trio.Event()

    async def run(self) -> None:
        """Send until cancelled."""
        with self._cloud.store.feed.listening(self._hear):
            async with trio.open_nursery() as nursery:
                while True:
                    self._news = trio.Event()
                    pause = await self._start_due(nursery)
                    with trio.move_on_after(pause):
                        await self._news.wait()

    def _hear(self, batch: Batch) -> None:
        if any(change.table == _TABLE for change in batch.changes):
            self._news.set()

    async def _start_due(self, nursery: trio.Nursery) -> float:
        """Start what may go now; give the seconds until something else may, if nothing happens before."""
        now = self._cloud.clock.millis()
        rows = await self._cloud.store.query(_DUE, (HookState.DUE.value, _WINDOW))
        for uuid, account, host, at in rows:
            if int(at) > now:
                return (int(at) - now) / 1000
            if uuid not in self._flying and self._has_room(str(account), str(host)):
                self._flying[str(uuid)] = (str(account), str(host))
                nursery.start_soon(self._send, str(uuid))
        return RETRY_SECONDS if len(rows) == _WINDOW else float("inf")

    def _has_room(self, account: str, host: str) -> bool:
        accounts = Counter(account for account, _ in self._flying.values())
        hosts = Counter(host for _, host in self._flying.values())
        return len(self._flying) < IN_FLIGHT and accounts[account] < OF_AN_ACCOUNT and hosts[host] < TO_A_HOST

    async def _send(self, uuid: str) -> None:
        try:
            hook = self._cloud.store.get(WebHook, uuid)
            job = self._cloud.store.get(Job, hook.job_uuid) if hook is not None else None
            if hook is None or hook.state is not HookState.DUE:
                return
            if job is None:
                outcome = Outcome("the job has been forgotten", final=True)
            else:
                outcome = await self._post(hook.url, headers_of(job), body_of(job))
            await self._cloud.write(lambda tx: note(tx, uuid, outcome))
        finally:
            del self._flying[uuid]
            self._news.set()


def headers_of(job: Job) -> dict[str, str]:
    """What ZStack's SDKs look for."""
    success = "true" if job.state is JobState.SUCCEEDED else "false"
    return {"Content-Type": "application/json", "X-Job-UUID": job.uuid, "X-Job-Success": success}


def body_of(job: Job) -> bytes:
    """What polling the job answers."""
    if job.state is JobState.SUCCEEDED:
        return (job.result or "{}").encode()
    return msgspec.json.encode({"error": msgspec.Raw((job.error or "{}").encode())})


def note(tx: Tx, uuid: str, outcome: Outcome) -> None:
    """Write down what became of a try."""
    hook = tx.get(WebHook, uuid)
    if hook is None:
        return
    tries = hook.tries + 1
    if outcome.error is None:
        tx.update(hook, state=HookState.DELIVERED, tries=tries, delivered_date=tx.now, error=None)
    elif outcome.final or tries > RETRIES:
        tx.update(hook, state=HookState.GIVEN_UP, tries=tries, error=outcome.error)
    else:
        tx.update(hook, tries=tries, next_try=tx.now + int(RETRY_SECONDS * 1000), error=outcome.error)
