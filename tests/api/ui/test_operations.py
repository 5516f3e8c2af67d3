"""The drawer: what each operation is about, and the steps of those that the page has open."""

from __future__ import annotations

import re
from pathlib import Path

from tests.api.ui.site import Browser, signed_in
from tests.api.ui.test_asking import made


async def drawer(browser: Browser, *opened: str) -> dict[str, str]:
    """What stands in each operation, by its title and subject."""
    query = "&".join(f"open={uuid}" for uuid in opened)
    text = (await browser.get(f"/ui/operations?{query}", hx_request="true", hx_target="operations")).text
    found = re.findall(r"<li><details.*?</details>", text, re.DOTALL)
    plain = [(" ".join(re.sub("<[^>]+>", " ", each).split()), each) for each in found]
    return {re.sub(r"^\w+ | \d{4}-.*", "", words): each for words, each in plain}


def uuid_of(operation: str) -> str:
    """The operation's uuid."""
    found = re.search(r'data-operation="(\w+)"', operation)
    assert found
    return found[1]


async def test_an_operation_says_whom_it_is_about_by_name(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (cloud, browser), cloud.login() as admin:
        uuid = await made(cloud)
        await admin.do("PUT", f"/vm-instances/{uuid}/actions", {"stopVmInstance": {}})
        [vm] = await admin.query("/vm-instances", f"uuid={uuid}")
        assert f"Stop VM instance {vm['name']}" in await drawer(browser)
        listed = await browser.page("/ui/appliance/jobs")
        assert f'<bdi>Stop VM instance</bdi> <bdi class="faint">{vm["name"]}</bdi>' in listed
        async with cloud.login() as other:
            await other.do("DELETE", f"/vm-instances/{uuid}")
            await other.do("PUT", f"/vm-instances/{uuid}/actions", {"expungeVmInstance": {}})
        assert "Stop VM instance" in await drawer(browser), "what has gone has no name any more"


async def test_what_is_open_has_its_steps_and_of_the_others_nothing_is_claimed(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with signed_in(tmp_path) as (cloud, browser), cloud.login() as admin:
        uuid = await made(cloud)
        for act in ("stopVmInstance", "startVmInstance"):
            await admin.do("PUT", f"/vm-instances/{uuid}/actions", {act: {}})
        first, second, *others = (await drawer(browser)).values()
        assert not any('class="steps"' in each or "no steps" in each for each in (first, second, *others))
        first, second, *others = (await drawer(browser, uuid_of(first), uuid_of(second))).values()
        assert 'class="steps"' in first
        assert 'class="steps"' in second
        assert not any('class="steps"' in each for each in others)
