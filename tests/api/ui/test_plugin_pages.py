"""Pages of plugins, in the menu and in our frame."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.api.ui.site import WEB, Browser, links_in
from tests.running import BASE, PASSWORD, running
from zstack_appliance.cloud.account.passwords import client_hash
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.page import Page, Shown
from zstack_appliance.kernel.plugin import Plugin


async def show(cloud: Cloud) -> Shown:
    """Who looks, and something to be escaped."""
    return "page.html", {"who": cloud.principal.account_uuid, "nasty": "<script>alert(1)</script>"}


@asynccontextmanager
async def with_pages(data: Path) -> AsyncIterator[Browser]:
    """A small cloud with a plugin that brings two pages, the second for everybody."""
    templates = data / "templates"
    templates.mkdir()
    (templates / "page.html").write_text("{% import '_parts.html' as ui with context %}<b>{{ who }}</b>{{ nasty }}")
    pages = (Page("one", "Costs", "Accounting", show), Page("all", "Rates", "", show, admin=False))
    plugin = Plugin(name="costs", pages=pages, templates=templates)
    async with running(data, plugins=(*BASE, plugin), web=WEB) as cloud, cloud.client() as client:
        async with cloud.login() as admin:
            await admin.create("/accounts", name="bob", password=client_hash(PASSWORD))
        yield Browser(client)


async def test_a_page_is_in_the_menu_and_filled_for_whoever_looks(tmp_path: Path, autojump_clock: object) -> None:
    async with with_pages(tmp_path) as browser:
        await browser.sign_in()
        home = await browser.page("/ui/")
        assert "/ui/plugins/costs/one" in links_in(home)
        assert "/ui/plugins/costs/all" not in links_in(home)
        assert ">Accounting<" in home
        page = await browser.page("/ui/plugins/costs/one")
        assert "<b>36c27e8ff05c4780bf6d2fa65700f22e</b>&lt;script&gt;" in page
        assert (await browser.get("/ui/plugins/costs/none")).status_code == 404


async def test_a_page_for_administrators_is_for_nobody_else(tmp_path: Path, autojump_clock: object) -> None:
    async with with_pages(tmp_path) as browser:
        await browser.sign_in("bob")
        assert "/ui/plugins/costs/one" not in links_in(await browser.page("/ui/"))
        assert (await browser.get("/ui/plugins/costs/one")).status_code == 403
        assert "&lt;script&gt;" in await browser.page("/ui/plugins/costs/all")
