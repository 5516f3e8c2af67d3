"""Forms: what they ask, what comes of sending them, and how they say what is wrong."""

from __future__ import annotations

import html
import re
from pathlib import Path

from tests.api.ui.site import Browser, rows_in, said, signed_in, site, token_in
from tests.running import PASSWORD, Running
from zstack_appliance.api.ui.nouns import Nouns
from zstack_appliance.kernel.derive.form import inputs
from zstack_appliance.kernel.edges import Graph


def nouns_of(cloud: Running) -> Nouns:
    """The resources as pages know them."""
    looks = [look for plugin in cloud.plugins for look in plugin.presentations]
    return Nouns(cloud.kernel.services[Graph], cloud.kernel.bus.requests, looks)


async def vm_form(browser: Browser) -> list[tuple[str, str]]:
    """The fields of the form for a VM as it comes, which asks for nothing but a name."""
    page = await browser.page("/ui/vm-instances/new/CreateVmInstance")
    image = re.search(r'<select id="f-imageUuid".*?value="(\w{32})" selected', page, re.DOTALL)
    offering = re.search(r'<select id="f-instanceOfferingUuid".*?value="(\w{32})" selected', page, re.DOTALL)
    network = re.search(r'name="l3NetworkUuids" value="(\w{32})" checked', page)
    assert image, "the form fills in what it can"
    assert offering
    assert network
    return [("imageUuid", image[1]), ("instanceOfferingUuid", offering[1]), ("l3NetworkUuids", network[1])]


async def test_every_api_that_makes_something_has_a_form_with_all_its_fields(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with signed_in(tmp_path) as (cloud, browser):
        makers = [(noun, message) for noun in nouns_of(cloud).all for message in noun.acts.makers]
        assert len(makers) > 10
        for noun, message in makers:
            page = await browser.page(f"/ui{noun.path}/new/{message.__name__}")
            for each in inputs(message):
                assert f'name="{each.wire}"' in page or each.target is not None, f"{message.__name__}.{each.wire}"


async def test_an_empty_form_says_everything_that_is_wrong_at_its_field(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (cloud, browser):
        for noun in nouns_of(cloud).all:
            for message in noun.acts.makers:
                path = f"/ui{noun.path}/new/{message.__name__}"
                answer = await browser.send(path)
                assert answer.status_code == 422, f"{path} {answer.status_code}"
                needed = [each.wire for each in inputs(message) if each.required]
                for wire in needed:
                    assert f'id="f-{wire}-fault"' in answer.text, f"{message.__name__}.{wire}"
                assert "field[" not in said(answer.text, 5000), "errors are in a person's words"


async def test_a_form_that_is_wrong_keeps_what_was_entered(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (_, browser):
        fields = (("name", "<big>"), ("cpuNum", "-3"), ("memorySize", "plenty"))
        answer = await browser.send("/ui/instance-offerings/new/CreateInstanceOffering", *fields)
        assert answer.status_code == 422
        assert 'value="&lt;big&gt;"' in answer.text
        assert 'value="plenty"' in answer.text
        assert 'id="f-cpuNum-fault"' in answer.text
        assert 'id="f-memorySize-fault"' in answer.text
        assert 'aria-describedby="f-memorySize-fault' in answer.text


async def test_a_vm_needs_no_more_than_a_name(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (cloud, browser):
        answer = await browser.send("/ui/vm-instances/new/CreateVmInstance", ("name", "web"), *await vm_form(browser))
        assert answer.status_code == 303, said(answer.text)
        page = await browser.page(answer.headers["location"])
        assert "web" in page
        assert "Running" in page
        async with cloud.login() as caller:
            (vm,) = await caller.query("/vm-instances", "name=web")
            assert answer.headers["location"] == f"/ui/vm-instances/{vm['uuid']}"


async def test_what_fails_while_it_is_done_is_said_on_the_form_with_the_reason_per_host(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with signed_in(tmp_path) as (_, browser):
        form = [*await vm_form(browser), ("name", "huge"), ("cpuNum", "900")]
        answer = await browser.send("/ui/vm-instances/new/CreateVmInstance", *form)
        assert answer.status_code == 422
        assert "virtual CPUs are free, 900 are needed" in answer.text
        assert "<bdi>host1</bdi></td>" in answer.text


async def test_bytes_are_entered_with_a_unit_and_references_by_name(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (cloud, browser):
        fields = (("name", "large"), ("cpuNum", "2"), ("memorySize", "1.5 GiB"))
        answer = await browser.send("/ui/instance-offerings/new/CreateInstanceOffering", *fields)
        assert answer.status_code == 303, said(answer.text)
        fields = (("name", "c2"), ("zoneUuid", "zone1"), ("hypervisorType", "KVM"))
        answer = await browser.send("/ui/clusters/new/CreateCluster", *fields)
        assert answer.status_code == 303, said(answer.text)
        answer = await browser.send("/ui/clusters/new/CreateCluster", ("name", "c3"), ("zoneUuid", "nowhere"))
        assert "nothing is called nowhere" in answer.text.lower()
        async with cloud.login() as caller:
            (offering,) = await caller.query("/instance-offerings", "name=large")
            assert offering["memorySize"] == 3 * 2**29


async def test_an_update_begins_with_what_is_there_and_changes_that_alone(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with signed_in(tmp_path) as (cloud, browser):
        (uuid,) = rows_in(await browser.page("/ui/zones"))
        path = f"/ui/zones/do/UpdateZone?uuid={uuid}"
        assert 'value="zone1"' in await browser.page(path)
        answer = await browser.send("/ui/zones/do/UpdateZone", ("uuid", uuid), ("name", "renamed"), form=path)
        assert answer.headers["location"] == f"/ui/zones/{uuid}"
        async with cloud.login() as caller:
            assert (await caller.query("/zones"))[0]["name"] == "renamed"


async def test_a_deletion_shows_what_it_would_do_and_then_does_it(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (cloud, browser):
        answer = await browser.send("/ui/vm-instances/new/CreateVmInstance", ("name", "web"), *await vm_form(browser))
        uuid = answer.headers["location"].rpartition("/")[2]
        path = f"/ui/vm-instances/do/DestroyVmInstance?uuid={uuid}"
        page = await browser.page(path)
        assert "What this does" in page
        assert 'data-effect="delete"' in page
        form = (("uuid", uuid), ("deleteMode", "Permissive"))
        answer = await browser.send("/ui/vm-instances/do/DestroyVmInstance", *form, form=path)
        assert answer.status_code == 303, said(answer.text)
        async with cloud.login() as caller:
            assert (await caller.query("/vm-instances"))[0]["state"] == "Destroyed"


async def test_what_stands_in_the_way_of_a_deletion_is_said_before_it(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (_, browser):
        (uuid,) = rows_in(await browser.page("/ui/zones"))
        page = await browser.page(f"/ui/zones/do/DeleteZone?uuid={uuid}")
        assert "cannot be deleted" in page
        assert "Enforcing would do this all the same" in page


async def test_several_rows_at_once(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (cloud, browser):
        form = await vm_form(browser)
        for name in ("a", "b"):
            await browser.send("/ui/vm-instances/new/CreateVmInstance", ("name", name), *form)
        uuids = [("uuid", uuid) for uuid in rows_in(await browser.page("/ui/vm-instances"))]
        path = "/ui/vm-instances/do/StopVmInstance?" + "&".join(f"uuid={uuid}" for _, uuid in uuids)
        assert (await browser.page(path)).count("<li><bdi") == 2
        answer = await browser.send("/ui/vm-instances/do/StopVmInstance", *uuids, ("type", "cold"), form=path)
        assert answer.status_code == 303, said(answer.text)
        async with cloud.login() as caller:
            assert {vm["state"] for vm in await caller.query("/vm-instances")} == {"Stopped"}
        assert (await browser.get("/ui/vm-instances/do/StopVmInstance")).status_code == 400


async def test_a_setting_is_changed_by_its_names(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (cloud, browser):
        path = "/ui/global-configurations/do/UpdateGlobalConfig?category=vm&name=deletionPolicy"
        assert ">Delay</textarea>" in await browser.page(path)
        form = (("category", "vm"), ("name", "deletionPolicy"), ("value", "Direct"))
        answer = await browser.send("/ui/global-configurations/do/UpdateGlobalConfig", *form, form=path)
        assert answer.status_code == 303, said(answer.text)
        assert cloud.kernel.configs.text("vm.deletionPolicy") == "Direct"


async def test_tags_are_put_on_and_taken_off(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (cloud, browser):
        (uuid,) = rows_in(await browser.page("/ui/zones"))
        back = f"/ui/zones/{uuid}"
        form = (("resourceUuid", uuid), ("resourceType", "ZoneVO"), ("back", back), ("tag", "a <b>"))
        answer = await browser.send("/ui/tags/add", *form, form=back)
        assert answer.headers["location"] == back
        page = await browser.page(back)
        assert "a &lt;b&gt;" in page
        tag = re.search(r'action="/ui/tags/remove".*?name="uuid" value="(\w{32})"', page, re.DOTALL)
        assert tag
        await browser.send("/ui/tags/remove", ("uuid", tag[1]), ("back", back), form=back)
        async with cloud.login() as caller:
            assert await caller.query("/user-tags") == []


async def test_where_a_vm_would_go_is_said_before_it_is_made(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (_, browser):
        path = "/ui/vm-instances/new/CreateVmInstance"
        form = await vm_form(browser)
        answer = await browser.send("/ui/vm-instances/placement/CreateVmInstance", *form, form=path)
        assert "2 of 2 hosts have room" in said(answer.text)
        answer = await browser.send("/ui/vm-instances/placement/CreateVmInstance", *form, ("cpuNum", "900"), form=path)
        assert "No host takes it" in said(answer.text)


async def test_a_form_is_shown_as_curl_without_its_secrets(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (_, browser):
        fields = (("name", "bob"), ("password", "swordfish"))
        answer = await browser.send("/ui/accounts/said/CreateAccount", *fields, form="/ui/accounts/new/CreateAccount")
        text = html.unescape(answer.text)
        assert "curl -X POST http://127.0.0.1:8080/zstack/v1/accounts" in text
        assert '"name":"bob"' in text
        assert "zstack-appliance api CreateAccount" in text
        assert "swordfish" not in text


async def test_an_account_sees_its_own_and_is_offered_nothing_that_it_may_not_do(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with signed_in(tmp_path) as (_, browser):
        fields = (("name", "bob"), ("password", PASSWORD))
        assert (await browser.send("/ui/accounts/new/CreateAccount", *fields)).status_code == 303
        browser.client.cookies.clear()
        assert (await browser.sign_in("bob")).status_code == 303
        home = await browser.page("/ui/")
        assert "/ui/hosts" not in home
        assert (await browser.get("/ui/hosts")).status_code == 403
        assert (await browser.get("/ui/zones/new/CreateZone")).status_code in (403, 404)
        token = token_in(home)
        answer = await browser.post("/ui/zones/new/CreateZone", ("csrf", token), ("name", "mine"))
        assert answer.status_code == 403, said(answer.text)
        assert rows_in(await browser.page("/ui/vm-instances")) == []


async def test_nobody_acts_on_what_is_not_theirs(tmp_path: Path, autojump_clock: object) -> None:
    async with site(tmp_path) as (cloud, browser):
        await browser.sign_in()
        answer = await browser.send("/ui/vm-instances/new/CreateVmInstance", ("name", "web"), *await vm_form(browser))
        uuid = answer.headers["location"].rpartition("/")[2]
        await browser.send("/ui/accounts/new/CreateAccount", ("name", "bob"), ("password", PASSWORD))
        browser.client.cookies.clear()
        await browser.sign_in("bob")
        for path in (f"/ui/vm-instances/{uuid}", f"/ui/vm-instances/do/StopVmInstance?uuid={uuid}"):
            assert (await browser.get(path)).status_code == 404
        token = token_in(await browser.page("/ui/"))
        answer = await browser.post("/ui/vm-instances/do/DestroyVmInstance", ("csrf", token), ("uuid", uuid))
        assert answer.status_code == 404
        async with cloud.login() as caller:
            assert (await caller.query("/vm-instances"))[0]["state"] == "Running"
