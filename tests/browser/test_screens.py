"""Every kind of screen, light and dark, wide and on a phone: nothing overflows, jumps or cannot be read.

Each is kept as a picture for people to look at; see the fixture `pictures`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LONG, NAMES, Stage

AXE = Path(__file__).parents[2] / "webui" / "node_modules" / "axe-core" / "axe.min.js"
SIZES = {"wide": (1440, 900), "phone": (390, 844)}
SHIFT = 0.05
"""Of the layout, while a page loads: what people do not notice. Browsers call anything below 0.1 good."""

SCREENS = {
    "dashboard": "/ui/",
    "list": "/ui/vm-instances",
    "list-of-hosts": "/ui/hosts",
    "list-filtered": "/ui/vm-instances?q=state%3DRunning&q=vmNics.l3Network.name%3Dnet1",
    "list-nothing-matches": "/ui/vm-instances?q=name%3Dnobody",
    "list-wrong-filter": "/ui/vm-instances?q=nam%3Dx",
    "list-empty": "/ui/disk-offerings?q=name%3Dnone",
    "list-of-settings": "/ui/global-configurations",
    "list-of-operations": "/ui/appliance/jobs",
    "vm": "/ui/vm-instances/{vm}",
    "vm-long-name": "/ui/vm-instances/{long}",
    "vm-history": "/ui/vm-instances/{vm}/history",
    "host": "/ui/hosts/{host}",
    "network": "/ui/l3-networks/{network}",
    "operation-failed": "/ui/appliance/jobs/{failed}",
    "create-vm": "/ui/vm-instances/new/CreateVmInstance",
    "create-which": "/ui/hosts/new",
    "create-image": "/ui/images/new/AddImage",
    "delete": "/ui/zones/do/DeleteZone?uuid={zone}",
    "reference": "/ui/reference",
    "reference-of-vm": "/ui/reference/VmInstance",
    "not-found": "/ui/nowhere",
}


@pytest.fixture(scope="module")
def places(stage: Stage) -> dict[str, str]:
    """What stands in braces in `SCREENS`."""
    return {
        "vm": stage.vms["web-01"],
        "long": stage.vms[LONG],
        "host": stage.query("/hosts")[0]["uuid"],
        "network": stage.query("/l3-networks", "name=net1")[0]["uuid"],
        "failed": stage.query("/appliance/jobs", "state=Failed")[0]["uuid"],
        "zone": stage.query("/zones")[0]["uuid"],
    }


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_holds_together(
    screen: str, theme: str, size: str, page: Page, places: dict[str, str], pictures: Path
) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.goto(SCREENS[screen].format(**places))
    page.wait_for_load_state("load")
    page.screenshot(path=pictures / f"{screen}-{size}-{theme}.png")
    check_layout(page)
    check_contrast(page)


def _operations(page: Page) -> None:
    page.goto("/ui/vm-instances")
    page.click("[data-drawer]")
    page.click("#operations summary >> nth=0")
    page.wait_for_selector("#operations details[open] :is(.notice, .steps, p)")


def _preview(page: Page) -> None:
    page.goto("/ui/vm-instances")
    page.keyboard.press("j")
    page.keyboard.press("p")
    page.wait_for_selector("#preview h2")


def _deletion(page: Page) -> None:
    page.goto("/ui/zones")
    page.click("#rows tbody th a")
    page.click(".head-acts summary")
    page.click(".menu-list .danger")
    page.wait_for_selector("#dialog .plan")


def _several(page: Page) -> None:
    page.goto("/ui/vm-instances")
    for box in page.query_selector_all("#rows input[name=uuid]")[:3]:
        box.check()


def _placement(page: Page) -> None:
    page.goto("/ui/vm-instances/new/CreateVmInstance")
    page.fill("input[name=name]", LONG)
    page.click("#placement summary")
    page.wait_for_selector("#placement table")


def _completions(page: Page) -> None:
    page.goto("/ui/vm-instances")
    page.fill("#filter", "vmNics.l3")
    page.wait_for_selector(".offer")


def _palette(page: Page) -> None:
    page.goto("/ui/")
    page.keyboard.press("Control+k")
    page.keyboard.type("a name of")
    page.wait_for_selector(".hit")


OPENED = {
    "operations": _operations,
    "preview": _preview,
    "deletion": _deletion,
    "several": _several,
    "placement": _placement,
    "completions": _completions,
    "palette": _palette,
}
"""What people open above a page."""


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("what", OPENED)
def test_what_is_opened_holds_together(what: str, size: str, page: Page, pictures: Path) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    OPENED[what](page)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.screenshot(path=pictures / f"opened-{what}-{size}-{theme}.png")
        check_width(page)
        check_contrast(page)


@pytest.mark.slow
def test_a_dialog_on_a_phone_says_what_it_is_about_and_keeps_its_buttons_in_sight(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    _deletion(page)
    for selector in ("#dialog .subjects li", "#dialog .form-acts .danger", "#dialog .form-acts [data-close]"):
        place = page.locator(selector).bounding_box()
        assert place is not None, selector
        assert place["height"] >= 20, selector
        assert place["y"] + place["height"] <= 844, selector


def check_width(page: Page) -> None:
    """Nothing is wider than the window."""
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider == 0, f"the page is {wider} px wider than its window"


def check_layout(page: Page) -> None:
    """Nothing is wider than the window, and nothing has moved since it was first there."""
    check_width(page)
    moved = page.evaluate("""() => new Promise((done) => {
        let sum = 0;
        new PerformanceObserver((list) => { for (const each of list.getEntries()) sum += each.value; })
            .observe({ type: "layout-shift", buffered: true });
        requestAnimationFrame(() => requestAnimationFrame(() => done(sum)));
    })""")
    assert moved < SHIFT, f"the layout moved by {moved}"


def check_contrast(page: Page) -> None:
    """Everything can be read, has a name for those who hear it, and is reached by the keyboard (WCAG 2.1 AA)."""
    # Evaluated by the browser's debugger, which the content security policy of the page does not bind.
    page.evaluate(AXE.read_text())
    found: list[dict[str, Any]] = page.evaluate(
        "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }).then((found) => found.violations)"
    )
    told = [
        f"{each['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})"
        for each in found
        for node in each["nodes"]
    ]
    assert told == []


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_sign_in_holds_together(theme: str, page: Page, stage: Stage, pictures: Path) -> None:
    browser = page.context.browser
    assert browser is not None
    with browser.new_context(base_url=stage.url, color_scheme="dark" if theme == "dark" else "light") as context:
        window = context.new_page()
        window.goto("/ui/sign-in")
        window.fill("#password", "wrong")
        window.click("button.primary")
        # A picture taken while one page gives way to the next is refused by the browser.
        expect(window.locator("body")).to_contain_text("Wrong account name or password")
        window.screenshot(path=pictures / f"sign-in-{theme}.png")
        check_layout(window)
        check_contrast(window)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_shown_as_it_is(name: str, page: Page, stage: Stage) -> None:
    page.goto(f"/ui/vm-instances/{stage.vms[name]}")
    assert page.inner_text("h1") == name
    assert page.title().startswith(name)
