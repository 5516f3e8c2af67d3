"""Using the pages: by keyboard, with dialogs, live."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import PASSWORD, Stage

pytestmark = pytest.mark.slow

FIRST_PAGE = 250_000
"""Bytes, packed, of the first page and all that it loads."""


def test_the_first_page_is_small(page: Page, signed_in: BrowserContext, stage: Stage) -> None:
    browser = signed_in.browser
    assert browser is not None
    with browser.new_context(base_url=stage.url) as fresh:
        window = fresh.new_page()
        sizes: list[int] = []
        window.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
        window.goto("/ui/")
        window.fill("#password", PASSWORD)
        window.click("button.primary")
        window.wait_for_selector("#page h1")
        assert 10_000 < sum(sizes) < FIRST_PAGE


def test_keys_lead_everywhere(page: Page, pictures: Path) -> None:
    page.goto("/ui/")
    page.keyboard.press("g")
    page.keyboard.press("v")
    page.wait_for_url("**/ui/vm-instances")
    expect(page.locator(".side-link[aria-current=page]")).to_have_text("Virtual machines")
    page.keyboard.press("/")
    expect(page.locator("#filter")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator("#rows tbody tr").first).to_be_focused()
    page.keyboard.press("p")
    expect(page.locator("#preview h2")).to_be_visible()
    page.screenshot(path=pictures / "list-preview-wide-light.png")
    page.keyboard.press("Escape")
    expect(page.locator("#preview")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.screenshot(path=pictures / "keys-wide-light.png")
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    page.wait_for_url("**/new/CreateVmInstance")
    expect(page.locator("#placement")).to_contain_text("hosts have room")
    page.screenshot(path=pictures / "create-vm-placed-wide-light.png")


def test_where_a_vm_would_go_stays_open_while_one_types(page: Page) -> None:
    page.goto("/ui/vm-instances/new/CreateVmInstance")
    page.click("#placement summary")
    expect(page.locator("#placement table")).to_be_visible()
    with page.expect_response(re.compile("/placement/")):
        page.fill("#f-name", "another")
        page.locator("#f-name").blur()
    expect(page.locator("#placement table")).to_be_visible()


def test_the_palette_finds_rows_pages_and_things_to_do(page: Page, stage: Stage, pictures: Path) -> None:
    page.goto("/ui/")
    page.keyboard.press("Control+k")
    page.keyboard.type("web-0")
    expect(page.locator("#palette-hits")).to_contain_text("web-01")
    page.screenshot(path=pictures / "palette-wide-light.png")
    page.keyboard.press("Control+a")
    page.keyboard.type("web-01")
    expect(page.locator("#palette-hits .hit").first).to_contain_text("web-01")
    expect(page.locator("#palette-hits .hit[aria-selected=true]")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/vm-instances/{stage.vms['web-01']}")
    page.keyboard.press("Control+k")
    page.keyboard.type("new zone")
    expect(page.locator("#palette-hits .hit").first).to_contain_text("New zone")


def test_the_filter_completes_what_the_query_grammar_allows(page: Page, pictures: Path) -> None:
    page.goto("/ui/vm-instances")
    page.keyboard.press("/")
    page.keyboard.type("vmNics.l3")
    expect(page.locator(".offer").first).to_contain_text("vmNics.l3Network")
    page.screenshot(path=pictures / "completion-wide-light.png")
    page.keyboard.press("Control+a")
    page.keyboard.type("state=Sto")
    expect(page.locator(".offer-text")).to_have_text(["state=Stopping", "state=Stopped"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#filter")).to_have_value("state=Stopped")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=state%3DStopped")
    expect(page.locator(".chip")).to_have_text("state=Stopped")
    expect(page.locator("#rows tbody tr")).to_have_count(1)


def test_a_vm_is_made_stopped_and_deleted_without_a_mouse(page: Page, stage: Stage, pictures: Path) -> None:
    page.goto("/ui/vm-instances/new/CreateVmInstance")
    page.locator("#f-name").focus()
    page.keyboard.type("by keyboard")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/vm-instances/[0-9a-f]{32}$"))
    expect(page.locator("h1")).to_have_text("by keyboard")
    expect(page.locator(".head .state")).to_have_text("Running")
    page.locator(".head-acts a", has_text="Stop").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#dialog")).to_be_visible()
    page.screenshot(path=pictures / "dialog-stop-wide-light.png")
    page.locator("#dialog .form-acts .button").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#dialog")).to_be_hidden()
    expect(page.locator(".head .state")).to_have_text("Stopped")
    page.locator(".head-acts summary").focus()
    page.keyboard.press("Enter")
    page.screenshot(path=pictures / "menu-wide-light.png")
    page.locator(".menu-list a.danger").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#dialog .plan")).to_contain_text("by keyboard")
    page.screenshot(path=pictures / "dialog-delete-wide-light.png")
    page.locator("#dialog .form-acts .danger").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/ui/vm-instances")
    expect(page.locator("#toasts")).to_contain_text("by keyboard")


def test_a_wrong_form_says_so_at_its_fields_and_keeps_the_rest(page: Page, pictures: Path) -> None:
    page.goto("/ui/instance-offerings/new/CreateInstanceOffering")
    page.fill("#f-cpuNum", "many")
    page.fill("#f-memorySize", "2 GiB")
    page.click(".form-acts .primary")
    expect(page.locator("#f-cpuNum-fault")).to_be_visible()
    expect(page.locator("#f-name-fault")).to_have_text("This is needed.")
    expect(page.locator("#f-memorySize")).to_have_value("2 GiB")
    page.screenshot(path=pictures / "form-wrong-wide-light.png")


def unfold(operation: Locator) -> None:
    """Open an operation that has ended. One that was seen running is open by itself, and stays so."""
    if operation.locator("details").get_attribute("open") is None:
        operation.locator("summary").click()


def test_an_operation_shows_its_steps_while_it_runs(page: Page, stage: Stage, pictures: Path) -> None:
    page.goto("/ui/")
    page.keyboard.press("o")
    expect(page.locator("#drawer .operations")).to_be_visible()
    stage.make_vm("with steps")
    first = page.locator("#drawer .operations > li").first
    expect(first).to_contain_text("with steps")
    expect(first).to_contain_text("Succeeded")
    unfold(first)
    expect(first.locator(".steps li")).to_have_count(10)
    expect(first).not_to_contain_text("no steps of its own")
    page.screenshot(path=pictures / "operations-wide-light.png")
    assert stage.make_vm("without room", cpuNum=100_000).status_code == 503
    failed = page.locator("#drawer .operations > li").first
    expect(failed).to_contain_text("without room")
    unfold(failed)
    expect(failed).to_contain_text("virtual CPUs are free")
    page.screenshot(path=pictures / "operations-failed-wide-light.png")


def test_the_theme_is_kept(page: Page) -> None:
    page.goto("/ui/")
    page.click("[data-theme-switch]")
    page.click("[data-theme-switch]")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.click("[data-theme-switch]")
    expect(page.locator("html")).to_have_attribute("data-theme", "auto")


def test_a_phone_has_its_menu(page: Page, pictures: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/ui/")
    expect(page.locator("#side")).to_be_hidden()
    page.click("[data-menu]")
    expect(page.locator("#side")).to_be_visible()
    page.screenshot(path=pictures / "menu-phone-light.png")
    page.click("#side a[href='/ui/hosts']")
    page.wait_for_url("**/ui/hosts")
    expect(page.locator("#side")).to_be_hidden()


def test_whoever_signs_out_elsewhere_is_sent_to_sign_in(stage: Stage, page: Page) -> None:
    browser = page.context.browser
    assert browser is not None
    with browser.new_context(base_url=stage.url) as other:
        window = other.new_page()
        window.goto("/ui/zones")
        window.fill("#password", PASSWORD)
        window.click("button.primary")
        window.wait_for_url("**/ui/zones")
        expect(window.locator("#live")).to_have_attribute("data-live", "on")
        [cookie] = [each for each in other.cookies() if each.get("name") == "zstack-session"]
        stage.api.delete(f"/zstack/v1/accounts/sessions/{cookie['value']}")
        # The end of the session is a change like any other, and so ends the stream of those who had it.
        window.wait_for_url(re.compile("/ui/sign-in"))
        window.fill("#password", PASSWORD)
        window.click("button.primary")
        window.wait_for_url("**/ui/zones")
