"""The page of one row: what belongs to it, what can be done to it, what happened to it."""

from __future__ import annotations

from pathlib import Path

from tests.api.ui.site import rows_in, said, signed_in
from tests.api.ui.test_acts import vm_form
from zstack_appliance.api.ui.details import Meter, meters_of


async def test_a_row_shows_its_parts_its_relations_and_what_its_state_allows(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with signed_in(tmp_path) as (_, browser):
        answer = await browser.send("/ui/vm-instances/new/CreateVmInstance", ("name", "web"), *await vm_form(browser))
        page = await browser.page(answer.headers["location"])
        text = said(page, 10_000)
        assert "NICs" in text
        assert "ROOT-for-web" in text
        assert ">net1<" in page
        assert ">host" in page
        assert "do/StopVmInstance?uuid=" in page
        assert "do/StartVmInstance?uuid=" not in page, "what its state forbids is named, and no link"
        assert "while Stopped or Created" in text
        host = await browser.page("/ui/hosts")
        assert len(rows_in(host)) == 2


async def test_a_history_tells_who_did_what(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (_, browser):
        (uuid,) = rows_in(await browser.page("/ui/zones"))
        path = f"/ui/zones/do/UpdateZone?uuid={uuid}"
        await browser.send("/ui/zones/do/UpdateZone", ("uuid", uuid), ("name", "renamed"), form=path)
        text = said(await browser.page(f"/ui/zones/{uuid}/history"), 5000)
        assert "Update zone changed it, for admin" in text
        assert "Name zone1 renamed" in text
        assert text.count("made it") == 1
        assert (await browser.get(f"/ui/zones/{uuid}/nothing")).status_code == 404


async def test_a_preview_is_the_short_of_a_page(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (_, browser):
        uuid = rows_in(await browser.page("/ui/hosts"))[0]
        answer = await browser.get(f"/ui/hosts/{uuid}", hx_request="true", hx_target="preview")
        assert "<html" not in answer.text
        assert "host1" in answer.text


def test_how_full_something_is_follows_from_its_fields() -> None:
    row = {"totalCpuCapacity": 10, "availableCpuCapacity": 1, "totalCapacity": 100, "availableCapacity": 96, "total": 5}
    cpu, space = meters_of(row)
    assert (cpu.label, cpu.used, cpu.total, cpu.is_bytes, cpu.percent, cpu.level) == ("CPU", 9, 10, False, 90.0, "warn")
    assert (space.label, space.used, space.is_bytes, space.level) == ("Space", 4, True, "good")
    assert Meter("x", 99, 100, is_bytes=True).level == "bad"
    assert Meter("x", 1, 0, is_bytes=True).percent == 0.0
    assert Meter("x", -5, 10, is_bytes=True).percent == 0.0


async def test_an_operation_says_its_steps_and_why_it_failed(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (_, browser):
        form = await vm_form(browser)
        await browser.send("/ui/vm-instances/new/CreateVmInstance", ("name", "web"), *form)
        await browser.send("/ui/vm-instances/new/CreateVmInstance", ("name", "huge"), ("cpuNum", "900"), *form)
        (failed,) = rows_in(await browser.page("/ui/appliance/jobs?q=state%3DFailed"))
        made = "/ui/appliance/jobs?q=state%3DSucceeded&q=api~%3D%25CreateVmInstance%25"
        (done,) = rows_in(await browser.page(made))
        assert "900 are needed" in await browser.page(f"/ui/appliance/jobs/{failed}")
        steps = said(await browser.page(f"/ui/appliance/jobs/{done}"), 5000)
        assert "Create root volume done" in steps
        part = said(await browser.page("/ui/operations"), 5000)
        assert "Create VM instance huge" in part


async def test_the_first_page_adds_up_and_counts(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (_, browser):
        assert "Virtual machines" in said(await browser.page("/ui/"), 5000)
        await browser.send("/ui/vm-instances/new/CreateVmInstance", ("name", "web"), *await vm_form(browser))
        text = said(await browser.page("/ui/"), 5000)
        assert "CPU 2 of 80" in text
        assert "Hosts 2 Connected 2" in text
        assert "Virtual machines 1 Running 1" in text


async def test_the_palette_finds_pages_actions_and_rows(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (_, browser):
        assert "Virtual machines" in await browser.page("/ui/palette?typed=")
        assert "/ui/zones/new/CreateZone" in await browser.page("/ui/palette?typed=new+zone")
        (uuid,) = rows_in(await browser.page("/ui/zones"))
        for typed in ("zone1", uuid):
            assert f"/ui/zones/{uuid}" in await browser.page(f"/ui/palette?typed={typed}")
        assert "Nothing is called that" in await browser.page("/ui/palette?typed=nonexistent")
