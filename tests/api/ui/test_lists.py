"""Lists: filters, order, pages, completion, and names that try to break them."""

from __future__ import annotations

import html
from pathlib import Path

import pytest

from tests.api.ui.site import Browser, rows_in, said, signed_in

NASTY = (
    "<script>alert(1)</script>",
    "\"quoted\" 'single' & co",
    "مرحبا \u202e\u2066 right to left",
    "\x01\x7f control",
    "x" * 255,
    "{{ 7777 * 7777 }} {% raw %}",
)


async def make_offering(browser: Browser, name: str, description: str = "") -> None:
    """A resource whose name may be anything."""
    fields = (("name", name), ("description", description), ("diskSize", "1 GiB"))
    answer = await browser.send("/ui/disk-offerings/new/CreateDiskOffering", *fields)
    assert answer.status_code == 303, said(answer.text)


async def test_a_word_looks_in_the_name_and_a_condition_is_one(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path, hosts=12) as (_, browser):
        assert len(rows_in(await browser.page("/ui/hosts"))) == 12
        assert len(rows_in(await browser.page("/ui/hosts?q=host1"))) == 4  # host1, host10, host11, host12
        assert len(rows_in(await browser.page("/ui/hosts?q=name%3Dhost1"))) == 1
        assert len(rows_in(await browser.page("/ui/hosts?q=host1&q=state%3DDisabled"))) == 0
        assert len(rows_in(await browser.page("/ui/hosts?q=cluster.name%3Dcluster1"))) == 12


async def test_a_wildcard_in_a_word_is_itself(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (_, browser):
        assert rows_in(await browser.page("/ui/hosts?q=%25")) == []
        assert rows_in(await browser.page("/ui/hosts?q=h_st")) == []


async def test_a_wrong_condition_says_what_is_wrong_and_stays(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (_, browser):
        page = await browser.page("/ui/hosts?q=nam%3Dx")
        assert "did you mean name" in page
        assert 'value="nam=x"' in page


async def test_fifty_rows_are_a_page_and_the_order_can_be_turned_round(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path, hosts=53) as (_, browser):
        first, second = await browser.page("/ui/hosts"), await browser.page("/ui/hosts?page=2")
        assert (len(rows_in(first)), len(rows_in(second))) == (50, 3)
        assert "1\u201350 of 53" in first
        up, down = await browser.page("/ui/hosts?sort=name"), await browser.page("/ui/hosts?sort=-name")
        assert rows_in(up)[0] == rows_in(await browser.page("/ui/hosts?sort=-name&page=2"))[-1]
        assert rows_in(down)[0] != rows_in(up)[0]
        assert len(rows_in(await browser.page("/ui/hosts?page=99"))) == 50
        assert len(rows_in(await browser.page("/ui/hosts?page=-1"))) == 50


async def test_an_empty_list_says_what_to_do(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (_, browser):
        page = await browser.page("/ui/vm-instances")
        assert "No virtual machines yet" in page
        assert "/ui/vm-instances/new/CreateVmInstance" in page
        assert "Nothing matches" in await browser.page("/ui/hosts?q=name%3Dnobody")


async def test_the_filter_says_what_it_takes_with_an_example_that_is_true(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with signed_in(tmp_path) as (_, browser):
        hosts = await browser.page("/ui/hosts")
        assert 'placeholder="Filter by name, or by a condition such as status=Connected"' in hosts
        assert len(rows_in(await browser.page("/ui/hosts?q=status%3DConnected"))) == 2
        assert 'placeholder="Filter by tag, or by a condition"' in await browser.page("/ui/user-tags")


async def test_completion_goes_on_with_fields_edges_operators_values_and_names(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with signed_in(tmp_path) as (_, browser):

        async def offers(typed: str) -> str:
            return html.unescape(await browser.page(f"/ui/vm-instances/complete?typed={typed}"))

        assert 'data-text="memorySize"' in await offers("mem")
        assert 'data-text="vmNics.l3Network."' in await offers("vmNics.l3")
        assert 'data-text="state!="' in await offers("state")
        assert 'data-text="state=Running"' in await offers("state%3DRun")
        assert ">host2<" in await offers("hostUuid%3Dhost2")
        assert (await offers("nothing.at.all")).strip() == ""


async def test_only_the_rows_that_are_asked_for_are_made_anew(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (_, browser):
        first, second = rows_in(await browser.page("/ui/hosts"))
        part = await browser.page(f"/ui/hosts/rows?uuid={first}&uuid={'0' * 32}")
        assert rows_in(part) == [first]
        assert "<html" not in part
        assert second not in part


@pytest.mark.parametrize("name", NASTY)
async def test_no_name_breaks_out_of_any_page(name: str, tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (_, browser):
        await make_offering(browser, name, description=f"{name} again")
        listed = await browser.page("/ui/disk-offerings")
        (uuid,) = rows_in(await browser.page("/ui/disk-offerings?q=description~%3D%25again"))
        pages = [
            listed,
            *[
                await browser.page(path)
                for path in (
                    f"/ui/disk-offerings/{uuid}",
                    f"/ui/disk-offerings/{uuid}/history",
                    f"/ui/disk-offerings/do/UpdateDiskOffering?uuid={uuid}",
                    f"/ui/disk-offerings/do/DeleteDiskOffering?uuid={uuid}",
                    "/ui/vm-instances/new",
                    "/ui/operations",
                    "/ui/",
                    "/ui/disk-offerings?q=" + "".join(f"%{byte:02x}" for byte in name.encode()),
                    "/ui/palette?typed=" + "".join(f"%{byte:02x}" for byte in name[:20].encode()),
                )
            ],
        ]
        for page in pages:
            assert "<script>alert" not in page
            assert "60481729" not in page
        shown = html.escape(name.strip(), quote=False)
        assert shown.replace('"', "&#34;").replace("'", "&#39;") in listed


async def test_the_same_is_shown_as_curl_and_as_a_command(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (_, browser):
        page = html.unescape(await browser.page("/ui/hosts?q=state%3DEnabled&sort=name"))
        assert "curl -X GET 'http://127.0.0.1:8080/zstack/v1/hosts?q=state%3DEnabled&sort=name&limit=50'" in page
        assert "zstack-appliance query Host state=Enabled" in page
