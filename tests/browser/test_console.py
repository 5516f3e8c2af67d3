"""Displays and serial ports in the page of their VM: typed into, taken over, lost and found again."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.conftest import Stage
from tests.browser.test_screens import SIZES, check_contrast, check_layout

pytestmark = pytest.mark.slow

CONSOLE = "#console"
SCREEN = "#console [data-screen] canvas"


AS_A_BROWSER = """
const Routed = WebSocket;
window.WebSocket = class extends Routed {
    send(data) { super.send(data); }
    close(...why) { super.close(...why); }
    get binaryType() { return super.binaryType; }
    set binaryType(kind) { super.binaryType = kind; }
    get onopen() { return super.onopen; }
    set onopen(act) { super.onopen = act; }
    get onmessage() { return super.onmessage; }
    set onmessage(act) { super.onmessage = act; }
    get onerror() { return super.onerror; }
    set onerror(act) { super.onerror = act; }
};
"""
"""noVNC looks where a WebSocket has its methods; the test's stand-in has them further up."""


@pytest.fixture(scope="module")
def vm(stage: Stage) -> Iterator[str]:
    """A VM for these tests alone."""
    uuid: str = stage.make_vm("seen").json()["inventory"]["uuid"]
    yield uuid
    stage.call("DELETE", f"/vm-instances/{uuid}")


def expect_phase(page: Page, phase: str) -> None:
    """What the console says about itself."""
    expect(page.locator(CONSOLE)).to_have_attribute("data-phase", phase)


def colour(page: Page) -> str:
    """Of a spot in the middle of the display, as red, green and blue."""
    return str(page.eval_on_selector(SCREEN, "each => each.getContext('2d').getImageData(50, 50, 1, 1).data.join()"))


def _pass_and_close(route: WebSocketRoute, code: int, message: str | bytes) -> None:
    """Let the browser have the first message, and no more."""
    route.send(message)
    route.close(code=code)


def test_what_is_typed_reaches_the_display_and_keys_lead_out_of_it(page: Page, vm: str) -> None:
    page.goto(f"/ui/vm-instances/{vm}")
    page.locator(".tabs a", has_text="Console").click()
    expect_phase(page, "open")
    expect(page.locator(SCREEN)).to_be_focused()
    before = colour(page)
    page.keyboard.press("c")  # which would open a form, were it not for the guest
    page.wait_for_function(
        "([selector, before]) => document.querySelector(selector)"
        ".getContext('2d').getImageData(50, 50, 1, 1).data.join() !== before",
        arg=[SCREEN, before],
    )
    assert page.url.endswith(f"/{vm}/console")
    page.keyboard.press("Control+Alt+Shift")
    expect(page.locator("[data-console-act=cad]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(SCREEN)).to_be_focused()


def test_a_serial_port_is_typed_and_pasted_into(page: Page, vm: str) -> None:
    page.goto(f"/ui/vm-instances/{vm}/serial")
    expect_phase(page, "open")
    rows = page.locator(".xterm-rows")
    expect(rows).to_contain_text(f"simulated VM {vm[:8]}")
    page.keyboard.type("typed g v ?")
    expect(rows).to_contain_text("typed g v ?")
    page.locator("[data-console-act=paste]").first.click()
    page.fill("#console-text", "pasted")
    page.click("[data-paste] .primary")
    expect(rows).to_contain_text("pasted")


def test_what_another_viewer_took_can_be_taken_back(page: Page, vm: str, pictures: Path) -> None:
    taken = [False]

    def take(route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        if not taken[0]:
            taken[0] = True
            server.on_message(partial(_pass_and_close, route, 1000))

    page.route_web_socket(re.compile("/console/ws"), take)
    page.goto(f"/ui/vm-instances/{vm}/serial")
    expect_phase(page, "taken")
    page.screenshot(path=pictures / "vm-serial-taken-wide-light.png")
    check_contrast(page)
    page.click("[data-when=taken] button")
    expect_phase(page, "open")


def test_it_goes_when_the_vm_stops_and_comes_when_it_starts(page: Page, vm: str, stage: Stage, pictures: Path) -> None:
    page.goto(f"/ui/vm-instances/{vm}/console")
    expect_phase(page, "open")
    stage.call("PUT", f"/vm-instances/{vm}/actions", {"stopVmInstance": {}})
    expect_phase(page, "off")
    expect(page.locator("[data-off]")).to_contain_text("It is stopped")
    page.screenshot(path=pictures / "vm-console-off-wide-light.png")
    check_contrast(page)
    page.locator("[data-off] a").click()
    page.locator("#dialog .form-acts .button").first.click()
    expect_phase(page, "open")


def test_a_connection_that_is_lost_is_made_again(page: Page, vm: str) -> None:
    reached = [0]

    def cut(route: WebSocketRoute) -> None:
        reached[0] += 1
        if reached[0] == 2:
            route.close(code=1011)
        elif reached[0] == 1:
            server = route.connect_to_server()
            server.on_message(partial(_pass_and_close, route, 1011))
        else:
            route.connect_to_server()

    page.route_web_socket(re.compile("/console/ws"), cut)
    page.goto(f"/ui/vm-instances/{vm}/serial")
    expect(page.locator("[data-console-wait]")).to_contain_text("Trying again in")
    expect_phase(page, "open")
    page.keyboard.type("again")
    expect(page.locator(".xterm-rows")).to_contain_text("again")
    assert reached == [3]


def test_a_display_that_wants_a_password_is_given_one(page: Page, vm: str, pictures: Path) -> None:
    tried: list[bytes] = []

    def answer(route: WebSocketRoute) -> None:
        display = Locked(route, tried)
        route.on_message(display.take)
        display.greet()

    page.route_web_socket(re.compile("/console/ws"), answer)
    page.add_init_script(AS_A_BROWSER)
    page.goto(f"/ui/vm-instances/{vm}/console")
    expect(page.locator("#console-password")).to_be_focused()
    page.screenshot(path=pictures / "vm-console-password-wide-light.png")
    check_contrast(page)
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.locator("[data-console-problem]")).to_have_text("That is not it. Try once more.")
    page.keyboard.type("right")
    page.keyboard.press("Enter")
    expect_phase(page, "open")
    assert len(tried) == 2
    assert tried[0] != tried[1]


@dataclass
class Locked:
    """A display that refuses the first password that it is told; of RFB, what it takes to be asked for one."""

    route: WebSocketRoute
    tried: list[bytes]
    stage: int = 0

    def greet(self) -> None:
        """As every display begins."""
        self.route.send(b"RFB 003.008\n")

    def take(self, message: str | bytes) -> None:
        """One message of the viewer's."""
        assert isinstance(message, bytes)
        self.stage += 1
        if self.stage == 1:
            self.route.send(b"\x01\x02")
        elif self.stage == 2:
            self.route.send(bytes(range(16)))
        elif self.stage == 3:
            self.tried.append(message)
            if len(self.tried) == 1:
                self.route.send(struct.pack(">II", 1, 2) + b"no")
                self.route.close(code=1000)
            else:
                self.route.send(bytes(4))
        elif self.stage == 4:
            self.route.send(struct.pack(">HHBBBBHHHBBB3xI", 8, 8, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0, 1) + b"x")


def test_nothing_is_connected_once_its_page_is_left(page: Page, vm: str) -> None:
    page.goto(f"/ui/vm-instances/{vm}")
    with page.expect_websocket() as opened:
        page.locator(".tabs a", has_text="Console").click()
    expect_phase(page, "open")
    with opened.value.expect_event("close"):
        page.locator(".tabs a", has_text="Overview").click()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("tab", ["console", "serial"])
def test_a_console_holds_together(tab: str, theme: str, size: str, page: Page, vm: str, pictures: Path) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.goto(f"/ui/vm-instances/{vm}/{tab}")
    expect_phase(page, "open")
    if tab == "serial":
        expect(page.locator(".xterm-rows")).to_contain_text(re.compile("comes back"))
    page.screenshot(path=pictures / f"vm-{tab}-{size}-{theme}.png")
    check_layout(page)
    check_contrast(page)
