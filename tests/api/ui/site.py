"""A cloud that serves pages, and somebody in front of them: `site` and `Browser`."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.running import PASSWORD, Running, simulated_cloud

WEB = Path(__file__).parents[3] / "webui"


@dataclass
class Browser:
    """Reads pages and sends their forms, without running any script."""

    client: httpx.AsyncClient

    async def sign_in(self, name: str = "admin", password: str = PASSWORD, wished: str = "/ui/") -> httpx.Response:
        """Open a session by the form."""
        page = await self.get("/ui/sign-in")
        fields = {"csrf": token_in(page.text), "account": name, "password": password, "next": wished}
        return await self.client.post("/ui/sign-in", data=fields)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """One page."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(path, headers=named)

    async def page(self, path: str) -> str:
        """The text of a page that is there."""
        answer = await self.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {said(answer.text)}"
        return answer.text

    async def send(self, path: str, *pairs: tuple[str, str], form: str | None = None) -> httpx.Response:
        """Send a form with the token of the page that it stands on."""
        page = await self.get(form or path)
        return await self.post(path, ("csrf", token_in(page.text)), *pairs)

    async def post(self, path: str, *pairs: tuple[str, str], **headers: str) -> httpx.Response:
        """Send exactly these fields."""
        named = {"content-type": "application/x-www-form-urlencoded"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        body = str(httpx.QueryParams(list(pairs)))
        return await self.client.post(path, content=body, headers=named)


@asynccontextmanager
async def site(data: Path, hosts: int = 2) -> AsyncIterator[tuple[Running, Browser]]:
    """A cloud on simulated hosts, and a browser in which nobody is signed in."""
    async with simulated_cloud(data, hosts=hosts, web=WEB) as cloud, cloud.client() as client:
        yield cloud, Browser(client)


@asynccontextmanager
async def signed_in(data: Path, hosts: int = 2) -> AsyncIterator[tuple[Running, Browser]]:
    """The same, with the administrator signed in."""
    async with site(data, hosts) as (cloud, browser):
        assert (await browser.sign_in()).status_code == 303
        yield cloud, browser


def token_in(text: str) -> str:
    """The token of the first form on a page."""
    found = re.search(r'name="csrf" (?:value|content)="(\w+)"', text)
    assert found, f"no token in {said(text)}"
    return found[1]


def links_in(text: str) -> list[str]:
    """Every page that a page leads to."""
    found = re.findall(r'(?:href|data-preview)="(/ui[^"#]*)', text)
    return list(dict.fromkeys(html.unescape(link) for link in found if "/ui/static/" not in link))


def said(text: str, most: int = 400) -> str:
    """What a page says, without its tags."""
    main = text.partition("<main")[2] or text
    return " ".join(re.sub(r"<[^>]*>", " ", main).split())[:most]


def rows_in(text: str) -> Sequence[str]:
    """The uuids of the rows in a list, in order."""
    return re.findall(r'<tr id="row-(\w{32})"', text)
