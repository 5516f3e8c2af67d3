"""Pictures of the web interface for the documents: ``python -m tests.browser.pictures``, as PNG below ``docs``.

An appliance on simulated hosts is filled with VMs that have everyday names, and looked at in Chromium.
"""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS, PASSWORD, Stage

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"

VMS = ("web-1", "web-2", "web-3", "db", "cache", "queue", "mail", "build-1", "build-2", "wiki")


@contextmanager
def staged() -> Iterator[Stage]:
    """An appliance on four simulated hosts, and the administrator's session with it."""
    with tempfile.TemporaryDirectory() as folder:
        argv = [sys.executable, "-m", "zstack_appliance", "simulate", "--data", f"{folder}/data", "--hosts", "4"]
        argv += ["--listen", "127.0.0.1:0", "--admin-password", PASSWORD]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            assert process.stdout is not None
            url = process.stdout.readline().split()[1].rstrip("/")
            try:
                with httpx.Client(base_url=url, timeout=60) as api:
                    hashed = hashlib.sha512(PASSWORD.encode()).hexdigest()
                    body = {"logInByAccount": {"accountName": "admin", "password": hashed}}
                    session = api.put("/zstack/v1/accounts/login", json=body).json()["inventory"]["uuid"]
                    api.headers["authorization"] = f"OAuth {session}"
                    yield Stage(url, api)
            finally:
                process.send_signal(signal.SIGTERM)


def furnish(stage: Stage) -> None:
    """VMs in two states, and an operation that failed."""
    medium = stage.query("/instance-offerings", "name=medium")[0]["uuid"]
    for name in VMS:
        more = {"instanceOfferingUuid": medium} if name.startswith("build") else {}
        stage.vms[name] = stage.make_vm(name, **more).json()["inventory"]["uuid"]
    for name in ("build-2", "wiki"):
        stage.call("PUT", f"/vm-instances/{stage.vms[name]}/actions", {"stopVmInstance": {}})
    stage.make_vm("giant", cpuNum=1, memorySize=2**50, instanceOfferingUuid=None)


def draw(stage: Stage, name: str, scheme: str, path: str, act: Callable[[Page], None] | None = None) -> None:
    """One picture of one page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        context = browser.new_context(
            base_url=stage.url,
            viewport={"width": 1280, "height": 800},
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
        )
        page = context.new_page()
        page.goto("/ui/")
        page.fill("#password", PASSWORD)
        page.click("button.primary")
        page.wait_for_url("**/ui/")
        page.goto(path)
        page.wait_for_load_state("load")
        page.wait_for_timeout(1500)
        if act is not None:
            act(page)
            page.wait_for_timeout(1000)
        page.screenshot(path=DOCS / f"{name}.png")
        browser.close()


def _fill_in(page: Page) -> None:
    page.fill("input[name=name]", "web-4")


def main() -> None:
    """Draw all of them."""
    with staged() as stage:
        furnish(stage)
        draw(stage, "ui-dashboard", "light", "/ui/")
        draw(stage, "ui-vms", "dark", "/ui/vm-instances")
        draw(stage, "ui-create-vm", "light", "/ui/vm-instances/new/CreateVmInstance", _fill_in)
        draw(stage, "ui-console", "dark", f"/ui/vm-instances/{stage.vms['web-1']}/console")


if __name__ == "__main__":
    main()
