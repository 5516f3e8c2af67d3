"""An appliance on simulated hosts in a process of its own, for what is measured over real HTTP.

Primitives: `simulated` (runs one), `Simulated` (what is known of it) and `Connection` (one keep-alive connection).
"""

from __future__ import annotations

import hashlib
import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Simulated:
    """One that runs.

    Args:
        host: the address it listens on.
        port: the port.
        pid: of its process.
        session: the administrator's.
    """

    host: str
    port: int
    pid: int
    session: str

    @property
    def memory(self) -> int:
        """Bytes that its process holds in RAM."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * 4096


class Connection:
    """One keep-alive connection; a call on it is a call of one account.

    Args:
        host: the address.
        port: the port.
        session: whose calls these are; empty before the login.
    """

    def __init__(self, host: str, port: int, session: str = "") -> None:
        self._http = http.client.HTTPConnection(host, port, timeout=120)
        self._headers = {"authorization": f"OAuth {session}"} if session else {}

    def __enter__(self) -> Connection:
        """Leave it closed."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._http.close()

    def send(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        """One call below ``/zstack/v1``: its status and what it was answered."""
        content = None if body is None else json.dumps(body)
        self._http.request(method, f"/zstack/v1{path}", content, self._headers)
        answer = self._http.getresponse()
        return answer.status, answer.read()

    def get(self, path: str, **params: str | list[str]) -> bytes:
        """The body of a query that must succeed; a list repeats its parameter."""
        pairs = (
            (name, each) for name, value in params.items() for each in ([value] if isinstance(value, str) else value)
        )
        text = "&".join(f"{name}={quote(value)}" for name, value in pairs)
        status, body = self.send("GET", f"{path}?{text}" if text else path)
        assert status == 200, body
        return body

    def call(self, method: str, path: str, body: object = None) -> Any:
        """The final body of a call, of its job if it becomes one."""
        status, found = self.send(method, path, body)
        location = urlsplit(json.loads(found)["location"]).path if status == 202 else ""
        while status == 202:
            self._http.request("GET", location, None, {"prefer": "wait=30"})
            answer = self._http.getresponse()
            status, found = answer.status, answer.read()
        assert status == 200, found
        return json.loads(found)


@contextmanager
def simulated(data: Path, *options: str) -> Iterator[Simulated]:
    """Run one on a data folder, which it makes if need be, for as long as the block runs."""
    argv = [sys.executable, "-m", "zstack_appliance", "simulate", "--data", str(data), "--listen", "127.0.0.1:0"]
    with started(data, [*argv, "--admin-password", PASSWORD, *options]) as appliance:
        yield appliance


@contextmanager
def watched(
    data: Path, statistics: Path, *, profile: Path | None = None, latency: float = 0.0, faults: float = 0.0
) -> Iterator[Simulated]:
    """Run one that is watched from inside; see `tests.bench.watched`."""
    argv = [sys.executable, "-m", "tests.bench.watched", str(data), str(statistics), str(profile or "-")]
    with started(data, [*argv, "0", "100", str(latency), str(faults)]) as appliance:
        yield appliance


@contextmanager
def started(data: Path, argv: Sequence[str]) -> Iterator[Simulated]:
    """Run a command that prints ``ready`` and the address."""
    log = data.with_name(f"{data.name}.log")
    with (
        log.open("w") as errors,
        subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        assert process.stdout is not None
        ready = process.stdout.readline()
        assert ready.startswith("ready "), log.read_text()
        address = urlsplit(ready.split()[1])
        assert address.hostname is not None
        assert address.port is not None
        try:
            session = login(address.hostname, address.port)
            yield Simulated(address.hostname, address.port, process.pid, session)
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0, log.read_text()


def login(host: str, port: int, name: str = "admin", password: str = PASSWORD) -> str:
    """The uuid of a new session."""
    hashed = hashlib.sha512(password.encode()).hexdigest()
    body = {"logInByAccount": {"accountName": name, "password": hashed}}
    with Connection(host, port) as connection:
        return str(connection.call("PUT", "/accounts/login", body)["inventory"]["uuid"])
