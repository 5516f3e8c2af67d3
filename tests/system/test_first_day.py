"""The first day of somebody with nothing but a browser: a VM is made, looked at, typed into, stopped and deleted."""

from __future__ import annotations

import os
import re
from pathlib import Path

import trio
from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS, Complaints
from tests.system.inside import Inside
from tests.system.live import live

PASSWORD = "correct horse"
WITHIN = 120_000.0
"""Milliseconds for what a guest takes part in, where everything is emulated and the machine is busy."""

LETTERS = "x" * 40
LIT = """() => {
    const canvas = document.querySelector("#console canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let lit = 0;
    for (let at = 0; at < data.length; at += 4) lit += data[at] + data[at + 1] + data[at + 2] > 300;
    return lit;
}"""
"""How much of the display is light."""

MORE = 300
"""Light dots that the letters bring at least; a cursor that blinks has fewer than half of them."""


async def test_a_first_day_in_a_browser(tmp_path: Path) -> None:
    async with live(tmp_path / "data", "--accel", "tcg", "--admin-password", PASSWORD) as appliance:
        await trio.to_thread.run_sync(first_day, appliance.url)
        assert await appliance.query("/vm-instances", state="Running") == []


def first_day(url: str) -> None:
    """All of it, in one window. Called in a thread of its own, as this browser's driver wants."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = browser.new_page(base_url=url.rstrip("/"), viewport={"width": 1440, "height": 900})
        page.set_default_timeout(WITHIN)
        expect.set_options(timeout=WITHIN)
        complaints = Complaints()
        page.on("console", complaints.hear)
        page.on("pageerror", lambda error: complaints.found.append(str(error)))
        sign_in(page)
        vm = make_vm(page)
        look_at_display(page, vm)
        type_at_serial_port(page)
        stop_and_delete(page)
        browser.close()
    assert complaints.found == []


def sign_in(page: Page) -> None:
    """As the administrator."""
    page.goto("/ui/")
    page.fill("#password", PASSWORD)
    page.click("button.primary")
    expect(page.locator("h1")).to_be_visible()


def make_vm(page: Page) -> str:
    """By the form, with what it begins with; its state comes by itself. Its uuid."""
    page.goto("/ui/vm-instances")
    page.keyboard.press("c")
    page.wait_for_url("**/new/CreateVmInstance")
    page.fill("#f-name", "first")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/ui/vm-instances(/[0-9a-f]{32})?$"))
    if not re.search("[0-9a-f]{32}$", page.url):
        row = page.locator("#rows tbody tr", has_text="first")
        expect(row).to_contain_text("Running")
        row.locator("th a").click()
        page.wait_for_url(re.compile("[0-9a-f]{32}$"))
    expect(page.locator(".head .state")).to_have_text("Running")
    return page.url[-32:]


def look_at_display(page: Page, vm: str) -> None:
    """What is typed is seen."""
    page.locator(".tabs a", has_text="Console").click()
    expect(page.locator("#console")).to_have_attribute("data-phase", "open")
    trio.from_thread.run(Inside(vm).booted)
    before = page.evaluate(LIT)
    assert before > 0, "a guest that has booted shows something"
    page.keyboard.type(LETTERS)
    page.wait_for_function(f"before => ({LIT})() >= before + {MORE}", arg=before)
    keep(page, "first-day-display")


def type_at_serial_port(page: Page) -> None:
    """The guest's shell answers."""
    page.locator(".tabs a", has_text="Serial").click()
    # The display, which is open too, is there until the answer is.
    expect(page.locator('#console[data-scheme="serial"]')).to_have_attribute("data-phase", "open")
    page.keyboard.press("Enter")
    page.keyboard.type("echo $((6*7))")
    page.keyboard.press("Enter")
    expect(page.locator(".xterm-rows > div").get_by_text(re.compile(r"^42\s*$")).first).to_be_visible()
    keep(page, "first-day-serial")


def stop_and_delete(page: Page) -> None:
    """The console says that it is off; the plan is shown before anything is deleted."""
    page.locator(".head-acts a", has_text="Stop").click()
    page.locator("#dialog .form-acts .button").first.click()
    expect(page.locator(".head .state")).to_have_text("Stopped")
    expect(page.locator("#console")).to_have_attribute("data-phase", "off")
    page.locator(".head-acts summary").click()
    page.locator(".menu-list a.danger").click()
    expect(page.locator("#dialog .plan")).to_contain_text("first")
    page.locator("#dialog .form-acts .danger").click()
    page.wait_for_url("**/ui/vm-instances")
    expect(page.locator("#toasts")).to_contain_text("first")


def keep(page: Page, name: str) -> None:
    """A picture for people, where ``ZSTACK_PICTURES`` says."""
    folder = os.environ.get("ZSTACK_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png")
