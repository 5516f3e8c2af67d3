"""An appliance on simulated hosts with something in it, and a browser in front of it: `stage`, `page`."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

PASSWORD = "correct horse"
HOSTS = 60
LONG = "a name of two hundred and fifty-five characters " + "x" * 207
NAMES = ("web-01", "web-02", "db-primary", "<b>bold</b> & \"quoted\" 'x'", "مرحبا خادم", LONG)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
expect.set_options(timeout=20_000)

CHROMIUM = "/usr/bin/chromium"


@dataclass
class Stage:
    """The process, and the API of it."""

    url: str
    api: httpx.Client
    vms: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: object = None) -> httpx.Response:
        """The final answer to a call."""
        answer = self.api.request(method, f"/zstack/v1{path}", json=body)
        while answer.status_code == 202:
            where = answer.json().get("location", str(answer.request.url))
            answer = self.api.get(where, headers={"prefer": "wait=30"})
        return answer

    def query(self, path: str, *conditions: str) -> list[dict[str, Any]]:
        """The rows that match."""
        answer = self.api.get(f"/zstack/v1{path}", params={"q": list(conditions)})
        found: list[dict[str, Any]] = answer.json()["inventories"]
        return found

    def make_vm(self, name: str, **more: object) -> httpx.Response:
        """A small VM on the private network."""
        params = {
            "name": name,
            "imageUuid": self.query("/images", "name=tiny")[0]["uuid"],
            "instanceOfferingUuid": self.query("/instance-offerings", "name=tiny")[0]["uuid"],
            "l3NetworkUuids": [self.query("/l3-networks", "name=net1")[0]["uuid"]],
            **more,
        }
        return self.call("POST", "/vm-instances", {"params": params})


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One appliance for all tests; they keep to rows of their own."""
    data = tmp_path_factory.mktemp("browser") / "data"
    argv = [sys.executable, "-m", "zstack_appliance", "simulate", "--data", str(data), "--hosts", str(HOSTS)]
    with (
        data.with_name("log").open("w") as errors,
        subprocess.Popen(
            [*argv, "--listen", "127.0.0.1:0", "--admin-password", PASSWORD],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            assert ready.startswith("ready "), data.with_name("log").read_text()
            with httpx.Client(base_url=ready.split()[1].rstrip("/"), timeout=60) as api:
                yield _furnished(Stage(ready.split()[1].rstrip("/"), api))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _furnished(stage: Stage) -> Stage:
    """With VMs in several states, a tag, and an operation that failed."""
    body = {"logInByAccount": {"accountName": "admin", "password": hashlib.sha512(PASSWORD.encode()).hexdigest()}}
    session = stage.api.put("/zstack/v1/accounts/login", json=body).json()["inventory"]["uuid"]
    stage.api.headers["authorization"] = f"OAuth {session}"
    for name in NAMES:
        answer = stage.make_vm(name, description="Serves <b>pages</b>, and more.")
        assert answer.status_code == 200, answer.text
        stage.vms[name] = answer.json()["inventory"]["uuid"]
    stage.call("PUT", f"/vm-instances/{stage.vms['web-02']}/actions", {"stopVmInstance": {}})
    tag = {"resourceType": "VmInstanceVO", "resourceUuid": stage.vms["web-01"], "tag": f"env={LONG}"}
    stage.call("POST", "/user-tags", {"params": tag})
    assert stage.make_vm("too large", cpuNum=100_000).status_code == 503
    return stage


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The distribution's browser. It ends with each file: its driver's event loop would be in others' way."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Complaints:
    """What the browser found wrong: errors of scripts, and what the content security policy stopped."""

    found: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        """Note an error. That a page is not there is what some tests want."""
        if message.type == "error" and "the server responded with a status of" not in message.text:
            self.found.append(message.text)


@pytest.fixture(scope="module")
def signed_in(stage: Stage, chromium: Browser) -> Iterator[BrowserContext]:
    """A browser in which the administrator is signed in."""
    context = chromium.new_context(base_url=stage.url, viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.goto("/ui/")
    page.fill("#password", PASSWORD)
    page.click("button.primary")
    page.wait_for_selector("#page")
    page.close()
    yield context
    context.close()


@pytest.fixture
def page(signed_in: BrowserContext) -> Iterator[Page]:
    """A window, which must not have complained at the end."""
    window = signed_in.new_page()
    window.set_default_timeout(15_000)
    complaints = Complaints()
    window.on("console", complaints.hear)
    window.on("pageerror", lambda error: complaints.found.append(str(error)))
    yield window
    window.close()
    assert complaints.found == []


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where pictures go: ``ZSTACK_PICTURES``, or below the cache."""
    folder = Path(os.environ.get("ZSTACK_PICTURES", Path(__file__).parents[2] / ".cache" / "pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
