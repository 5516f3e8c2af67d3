"""What the script of a tab asks for, as the person in front of the page: tickets to consoles."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.api.ui.site import Browser, signed_in, token_in
from tests.running import Running
from zstack_appliance.kernel.tickets import Tickets

PAGE = "/ui/vm-instances"


async def made(cloud: Running) -> str:
    """A VM that runs."""
    async with cloud.login() as admin:
        found = {name: (await admin.query(f"/{name}"))[0]["uuid"] for name in ("images", "instance-offerings")}
        network = (await admin.query("/l3-networks", "name=net1"))[0]["uuid"]
        vm: dict[str, Any] = await admin.create(
            "/vm-instances",
            name="one",
            imageUuid=found["images"],
            instanceOfferingUuid=found["instance-offerings"],
            l3NetworkUuids=[network],
        )
    return str(vm["uuid"])


async def ask(browser: Browser, uuid: str, slug: str = "console") -> Any:
    page = await browser.page(f"{PAGE}/{uuid}")
    return await browser.post(f"{PAGE}/ask/{slug}", ("uuid", uuid), x_csrf_token=token_in(page))


async def test_a_tab_gets_a_ticket_that_opens_what_it_shows(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (cloud, browser):
        uuid = await made(cloud)
        for slug, greeting in (("console", b"RFB 003.008\n"), ("serial", b"simulated VM")):
            answer = await ask(browser, uuid, slug)
            assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
            opened = cloud.kernel.services[Tickets].redeem(answer.json()["token"])
            assert opened is not None
            async with await opened.open() as stream:
                assert (await stream.receive_some()).startswith(greeting)


async def test_only_the_own_page_of_somebody_signed_in_gets_one(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (cloud, browser):
        uuid = await made(cloud)
        token = token_in(await browser.page(f"{PAGE}/{uuid}"))
        assert (await browser.post(f"{PAGE}/ask/console", ("uuid", uuid))).status_code == 403
        other = await browser.post(f"{PAGE}/ask/console", ("uuid", uuid), x_csrf_token="0" * 32)
        assert other.status_code == 403
        await browser.post("/ui/sign-out", ("csrf", token))
        gone = await browser.post(f"{PAGE}/ask/console", ("uuid", uuid), x_csrf_token=token, hx_request="true")
        assert gone.headers["hx-redirect"].startswith("/ui/sign-in")


async def test_the_status_says_why_there_is_none(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (cloud, browser):
        uuid = await made(cloud)
        assert (await ask(browser, uuid, "history")).status_code == 404
        page = await browser.page(f"{PAGE}/{uuid}")
        nobody = await browser.post(f"{PAGE}/ask/console", ("uuid", "0" * 32), x_csrf_token=token_in(page))
        assert nobody.status_code == 404
        async with cloud.login() as admin:
            await admin.do("PUT", f"/vm-instances/{uuid}/actions", {"stopVmInstance": {}})
        assert (await ask(browser, uuid)).status_code == 409


async def test_a_vm_that_is_off_has_its_start_where_its_screen_would_be(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (cloud, browser):
        uuid = await made(cloud)
        page = await browser.page(f"{PAGE}/{uuid}/console")
        assert 'data-up="yes"' in page
        assert 'data-scheme="vnc"' in page
        assert "do/RequestConsoleAccess" not in page
        async with cloud.login() as admin:
            await admin.do("PUT", f"/vm-instances/{uuid}/actions", {"stopVmInstance": {}})
        page = await browser.page(f"{PAGE}/{uuid}/serial")
        assert 'data-up="no"' in page
        assert re.search(r'console-note" data-when="off".*do/StartVmInstance', page, re.DOTALL)
        assert f'href="{PAGE}/{uuid}/console"' not in page, "there is nothing to see on it"
