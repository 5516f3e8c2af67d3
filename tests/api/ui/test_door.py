"""The HTML door: who gets in, what every answer carries, and that every page is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.ui.site import links_in, said, signed_in, site, token_in
from tests.running import Running, running
from zstack_appliance.api.ui.security import HEADERS, SESSION_COOKIE

ENOUGH = 350
"""Pages that the walk over all links looks at."""


async def test_the_root_leads_to_the_pages(tmp_path: Path, autojump_clock: object) -> None:
    async with site(tmp_path) as (_, browser):
        answer = await browser.get("/")
        assert (answer.status_code, answer.headers["location"]) == (302, "/ui/")


async def test_without_pages_the_api_is_whole(tmp_path: Path, autojump_clock: object) -> None:
    async with running(tmp_path) as cloud, cloud.client() as client:
        for path in ("/", "/ui/", "/ui/sign-in"):
            assert (await client.get(path)).status_code == 404
        async with cloud.login() as caller:
            assert await caller.query("/accounts")


async def test_whoever_is_not_signed_in_is_sent_to_sign_in_and_comes_back(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with site(tmp_path) as (_, browser):
        answer = await browser.get("/ui/hosts?q=state%3DEnabled")
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            "/ui/sign-in?next=/ui/hosts%3Fq%3Dstate%253DEnabled",
        )
        answer = await browser.sign_in(wished="/ui/hosts?q=state%3DEnabled")
        assert (answer.status_code, answer.headers["location"]) == (303, "/ui/hosts?q=state%3DEnabled")


async def test_a_script_whose_session_is_over_is_sent_away_from_the_page_that_it_stands_on(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with site(tmp_path) as (_, browser):
        answer = await browser.get(
            "/ui/operations", hx_request="true", hx_current_url="http://127.0.0.1:8080/ui/zones?q=a"
        )
        assert answer.status_code == 204
        assert answer.headers["hx-redirect"] == "/ui/sign-in?next=/ui/zones%3Fq%3Da"


async def test_the_session_is_in_a_cookie_that_neither_scripts_nor_other_sites_reach(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with site(tmp_path) as (_, browser):
        answer = await browser.sign_in()
        [cookie] = [each for each in answer.headers.get_list("set-cookie") if each.startswith(SESSION_COOKIE)]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Secure" not in cookie  # over plain HTTP a browser would drop it


async def test_a_wrong_password_says_so_and_keeps_the_name(tmp_path: Path, autojump_clock: object) -> None:
    async with site(tmp_path) as (_, browser):
        answer = await browser.sign_in(password="wrong")
        assert answer.status_code == 401
        assert "Wrong account name or password" in answer.text
        assert 'value="admin"' in answer.text
        assert SESSION_COOKIE not in str(answer.headers.get_list("set-cookie"))


async def test_guessing_gets_slow_as_it_does_at_the_api(tmp_path: Path, autojump_clock: object) -> None:
    async with site(tmp_path) as (_, browser):
        answers = [(await browser.sign_in(password=f"guess {number}")).text for number in range(7)]
        assert "too many failed logins" in answers[-1].lower()


@pytest.mark.parametrize("wished", ["https://evil.example/", "//evil.example", "/zstack/v1", "/ui/\\evil", "/ui/\n"])
async def test_a_sign_in_leads_nowhere_else(wished: str, tmp_path: Path, autojump_clock: object) -> None:
    async with site(tmp_path) as (_, browser):
        assert (await browser.sign_in(wished=wished)).headers["location"] == "/ui/"


async def test_a_form_without_its_token_changes_nothing(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (cloud, browser):
        before = len(await _zones(cloud))
        for token in ("", "0" * 32):
            answer = await browser.post("/ui/zones/new/CreateZone", ("csrf", token), ("name", "z"))
            assert answer.status_code == 403, said(answer.text)
        assert len(await _zones(cloud)) == before


async def test_a_form_of_another_site_changes_nothing(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (cloud, browser):
        token = token_in(await browser.page("/ui/zones/new"))
        before = len(await _zones(cloud))
        for headers in ({"origin": "http://evil.example"}, {"sec_fetch_site": "cross-site"}):
            answer = await browser.post("/ui/zones/new/CreateZone", ("csrf", token), ("name", "z"), **headers)
            assert answer.status_code == 403, said(answer.text)
        assert len(await _zones(cloud)) == before


async def test_signing_out_ends_the_session(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (_, browser):
        session = browser.client.cookies[SESSION_COOKIE]
        assert (await browser.send("/ui/sign-out", form="/ui/")).headers["location"] == "/ui/sign-in"
        browser.client.cookies.set(SESSION_COOKIE, session)
        assert (await browser.get("/ui/")).status_code == 303


async def test_every_page_that_a_page_leads_to_is_there_and_carries_the_headers(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with signed_in(tmp_path) as (_, browser):
        todo, seen = ["/ui/"], set[str]()
        while todo and len(seen) < ENOUGH:
            path = todo.pop(0)
            if path in seen:
                continue
            seen.add(path)
            answer = await browser.get(path)
            assert answer.status_code == 200, f"{path}: {answer.status_code} {said(answer.text)}"
            assert {name: answer.headers[name] for name in HEADERS} == HEADERS, path
            assert answer.headers["cache-control"] == "no-store", path
            assert "<script>" not in answer.text, path
            assert " style=" not in answer.text, path
            assert " onclick" not in answer.text, path
            todo += [link for link in links_in(answer.text) if link not in seen and "formaction" not in link]
        assert len(seen) > 100


@pytest.mark.parametrize("path", ["/ui/nowhere", "/ui/zones/new/Nothing", "/ui/zones/0123", "/ui/zones/" + "0" * 32])
async def test_what_is_not_there_says_so(path: str, tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (_, browser):
        answer = await browser.get(path)
        assert answer.status_code == 404
        assert "That did not work" in answer.text


async def test_files_are_kept_for_ever_under_the_address_of_their_content(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with site(tmp_path) as (_, browser):
        text = (await browser.get("/ui/sign-in")).text
        path = text.partition('rel="stylesheet" href="')[2].partition('"')[0]
        answer = await browser.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/css; charset=utf-8")
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "gzip"
        older = path.replace(path.split("/")[3], "0" * 12)
        assert (await browser.get(older)).headers["cache-control"] == "no-cache"
        assert (await browser.get(path.replace("app.css", "..%2f..%2fapp.css"))).status_code == 404


async def _zones(cloud: Running) -> list[object]:
    async with cloud.login() as caller:
        return list(await caller.query("/zones"))
