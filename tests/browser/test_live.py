"""Pages show what happens while they are open, and miss nothing of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.conftest import Stage

pytestmark = pytest.mark.slow


PATIENCE = 20.0
"""Seconds, which are many on a busy machine."""


def until(page: Page, is_so: Callable[[], bool]) -> None:
    """Let the browser go on until something has happened."""
    last = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < last, "the browser has not asked"
        page.wait_for_timeout(10)


class Held:
    """What a window asks for at addresses of one kind waits until it is let go.

    Args:
        page: the window.
        addresses: a pattern of whole addresses.
    """

    def __init__(self, page: Page, addresses: str) -> None:
        self._page = page
        self._addresses = addresses
        self._ends: list[Callable[[], None]] = []
        page.route(addresses, self._hold)

    def _hold(self, route: Route) -> None:
        self._ends.append(route.continue_)

    def wait(self) -> None:
        """Until something is held."""
        until(self._page, lambda: bool(self._ends))

    def let_go(self) -> None:
        """Go on with all that was held, and hold nothing any more."""
        for end in self._ends:
            end()
        self._page.unroute(self._addresses)


class Late(Held):
    """The first answer from addresses of one kind is made at once, and comes when it is let go; others are not held."""

    def _hold(self, route: Route) -> None:
        if self._ends:
            route.continue_()
            return
        answer = route.fetch()
        self._ends.append(lambda: route.fulfill(response=answer))


@pytest.fixture
def other(signed_in: BrowserContext) -> Iterator[Page]:
    """One more window of the same browser."""
    window = signed_in.new_page()
    yield window
    window.close()


def make_zone(stage: Stage, name: str) -> str:
    """A zone by the API; its uuid."""
    uuid: str = stage.call("POST", "/zones", {"params": {"name": name}}).json()["inventory"]["uuid"]
    return uuid


def test_what_others_change_is_seen_at_once_and_nothing_moves(page: Page, stage: Stage) -> None:
    vm = stage.make_vm("watched").json()["inventory"]["uuid"]
    page.goto("/ui/vm-instances")
    row = page.locator(f"#row-{vm}")
    expect(row.locator(".state")).to_have_text("Running")
    expect(page.locator("#live")).to_have_attribute("data-live", "on")
    place = row.bounding_box()
    began = time.monotonic()
    stage.call("PUT", f"/vm-instances/{vm}/actions", {"stopVmInstance": {"type": "cold"}})
    expect(row.locator(".state")).to_have_text("Stopped")
    print(f"seen {(time.monotonic() - began) * 1000:.0f} ms after the call began")
    assert row.bounding_box() == place
    stage.call("PUT", f"/vm-instances/{vm}/actions", {"updateVmInstance": {"name": "renamed meanwhile"}})
    expect(row.locator("th")).to_have_text("renamed meanwhile")
    other = stage.make_vm("new arrival").json()["inventory"]["uuid"]
    expect(page.locator(f"#row-{other}")).to_be_visible()
    for uuid in (vm, other):
        stage.call("DELETE", f"/vm-instances/{uuid}")
        stage.call("PUT", f"/vm-instances/{uuid}/actions", {"expungeVmInstance": {}})
        expect(page.locator(f"#row-{uuid}")).to_have_count(0)


def test_two_windows_share_one_stream(page: Page, other: Page, stage: Stage) -> None:
    streams: list[str] = []
    for window in (page, other):
        window.on("request", lambda request: streams.append(request.url) if "/ui/live?" in request.url else None)
    page.goto("/ui/zones")
    expect(page.locator("#live")).to_have_attribute("data-live", "on")
    other.goto("/ui/zones")
    expect(other.locator("#live")).to_have_attribute("data-live", "on")
    zone = stage.call("POST", "/zones", {"params": {"name": "shared"}}).json()["inventory"]["uuid"]
    for window in (page, other):
        expect(window.locator(f"#row-{zone}")).to_be_visible()
    assert len(streams) == 1
    stage.call("DELETE", f"/zones/{zone}")


def test_what_changed_before_the_stream_began_is_shown_as_well(page: Page, stage: Stage) -> None:
    stream = Held(page, "**/ui/live*")
    page.goto("/ui/zones")
    page.keyboard.press("o")
    stream.wait()
    zone = make_zone(stage, "before the stream")
    stream.let_go()
    expect(page.locator(f"#row-{zone}")).to_be_visible()
    stage.call("DELETE", f"/zones/{zone}")
    expect(page.locator("#drawer .operations > li").first).to_contain_text("Delete zone")


def test_a_window_goes_on_where_the_one_that_read_has_stopped(page: Page, other: Page, stage: Stage) -> None:
    other.goto("/ui/zones")
    expect(other.locator("#live")).to_have_attribute("data-live", "on")
    stream = Held(page, "**/ui/live*")
    page.goto("/ui/zones")
    expect(page.locator("#live")).to_have_attribute("data-live", "on")
    other.close()
    stream.wait()
    zone = make_zone(stage, "between two readers")
    stream.let_go()
    expect(page.locator(f"#row-{zone}")).to_be_visible()
    stage.call("DELETE", f"/zones/{zone}")


def test_a_window_that_comes_late_is_told_by_the_one_that_reads(page: Page, other: Page, stage: Stage) -> None:
    other.goto("/ui/zones")
    expect(other.locator("#live")).to_have_attribute("data-live", "on")
    script = Held(page, "**/app/told.js*")
    page.goto("/ui/zones", wait_until="commit")
    expect(page.locator("#rows")).to_be_visible()
    script.wait()
    zone = make_zone(stage, "before the script")
    expect(other.locator(f"#row-{zone}")).to_be_visible()
    script.let_go()
    expect(page.locator(f"#row-{zone}")).to_be_visible()
    stage.call("DELETE", f"/zones/{zone}")


def test_a_page_that_was_under_way_catches_up(page: Page, stage: Stage) -> None:
    page.goto("/ui/")
    expect(page.locator("#live")).to_have_attribute("data-live", "on")
    zones = Late(page, "**/ui/zones")
    page.keyboard.press("g")
    page.keyboard.press("z")
    zones.wait()
    zone = make_zone(stage, "under way")
    expect(page.locator("#drawer .operations > li").first).to_contain_text("under way")
    zones.let_go()
    expect(page.locator(f"#row-{zone}")).to_be_visible()
    stage.call("DELETE", f"/zones/{zone}")


def test_an_older_answer_does_not_come_over_a_newer_one(page: Page, stage: Stage) -> None:
    page.goto("/ui/zones")
    expect(page.locator("#live")).to_have_attribute("data-live", "on")
    operations = Late(page, "**/ui/operations*")
    zone = make_zone(stage, "told late")
    operations.wait()
    stage.call("DELETE", f"/zones/{zone}")
    expect(page.locator(f"#row-{zone}")).to_have_count(0)
    with page.expect_request_finished(lambda request: "/ui/operations" in request.url):
        operations.let_go()
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(page.locator("#drawer .operations > li").first).to_contain_text("Delete zone")


def test_who_types_is_not_disturbed_and_sees_what_is_new_afterwards(page: Page, stage: Stage) -> None:
    zone = make_zone(stage, "typed at")
    page.goto(f"/ui/zones/{zone}")
    expect(page.locator("#live")).to_have_attribute("data-live", "on")
    field = page.locator("#page input[name=tag]").last
    field.fill("half a ta")
    stage.call("PUT", f"/zones/{zone}/actions", {"updateZone": {"name": "renamed"}})
    expect(page.locator("#drawer .operations > li").first).to_contain_text("Update zone")
    expect(field).to_have_value("half a ta")
    expect(page.locator("#page h1")).to_have_text("typed at")
    field.blur()
    expect(page.locator("#page h1")).to_have_text("renamed")
    expect(field).to_have_value("half a ta")
    stage.call("DELETE", f"/zones/{zone}")


def rename(stage: Stage, zone: str) -> None:
    """Change a zone by the API."""
    stage.call("PUT", f"/zones/{zone}/actions", {"updateZone": {"name": "renamed"}})


def test_the_focus_stays_where_it_was(page: Page, stage: Stage) -> None:
    zone = make_zone(stage, "looked at")
    page.goto(f"/ui/zones/{zone}")
    expect(page.locator("#live")).to_have_attribute("data-live", "on")
    link = page.locator("#page").get_by_role("link", name="History")
    link.focus()
    rename(stage, zone)
    expect(page.locator("#page h1")).to_have_text("renamed")
    expect(link).to_be_focused()
    stage.call("DELETE", f"/zones/{zone}")


def test_an_open_menu_stays_open(page: Page, stage: Stage) -> None:
    zone = make_zone(stage, "to be deleted")
    page.goto(f"/ui/zones/{zone}")
    expect(page.locator("#live")).to_have_attribute("data-live", "on")
    page.locator(".head-acts summary").focus()
    page.keyboard.press("Enter")
    page.locator(".menu-list a.danger").focus()
    rename(stage, zone)
    expect(page.locator("#drawer .operations > li").first).to_contain_text("Update zone")
    page.keyboard.press("Enter")
    expect(page.locator("#dialog .plan")).to_contain_text("renamed")
    stage.call("DELETE", f"/zones/{zone}")


def test_what_is_pressed_stays_until_it_is_released(page: Page, stage: Stage) -> None:
    zone = make_zone(stage, "pressed")
    page.goto("/ui/zones")
    expect(page.locator("#live")).to_have_attribute("data-live", "on")
    page.locator(f"#row-{zone} th a").hover()
    page.mouse.down()
    with page.expect_request_finished(lambda request: "/zones/rows?" in request.url):
        rename(stage, zone)
    page.mouse.up()
    page.wait_for_url(f"**/ui/zones/{zone}")
    expect(page.locator("#page h1")).to_have_text("renamed")
    stage.call("DELETE", f"/zones/{zone}")


def test_rows_that_have_no_uuid_are_read_again_as_well(page: Page, stage: Stage) -> None:
    page.goto("/ui/global-configurations")
    expect(page.locator("#live")).to_have_attribute("data-live", "on")
    rows = page.locator("#rows tbody tr")
    number = rows.count()
    value = page.locator("#rows tbody tr", has_text="cpu.overProvisioning.ratio")
    assert number > 10
    path = "/global-configurations/host/cpu.overProvisioning.ratio/actions"
    stage.call("PUT", path, {"updateGlobalConfig": {"value": "17"}})
    expect(value).to_contain_text("17")
    expect(rows).to_have_count(number)
    stage.call("PUT", path, {"updateGlobalConfig": {"value": "10"}})
