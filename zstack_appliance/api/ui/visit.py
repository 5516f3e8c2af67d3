"""One request by one person: `Visit`, and `Inside`, everything that pages stand on."""

from __future__ import annotations

import functools
import time
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import jinja2
import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from zstack_appliance.api.auth import Callers
from zstack_appliance.api.refusal import Refusal
from zstack_appliance.api.ui.menu import Menu
from zstack_appliance.api.ui.nouns import Noun, Nouns
from zstack_appliance.api.ui.security import SESSION_COOKIE, token_of
from zstack_appliance.api.ui.static import Static
from zstack_appliance.api.ui.words import api_words
from zstack_appliance.kernel.derive.route import Routes
from zstack_appliance.kernel.events.service import Events
from zstack_appliance.kernel.inventory import Inventories
from zstack_appliance.kernel.job import Jobs
from zstack_appliance.kernel.portal import Portal
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.query import Queries
from zstack_appliance.kernel.schema import Record, Resource

LARGEST_FORM = 1 << 20
NOTE_COOKIE = "zstack-note"
"""A word about what was just done, for the next page to show once."""

THEMES = ("auto", "light", "dark")
DENSITIES = ("compact", "roomy")


@dataclass(frozen=True)
class Inside:
    """What pages stand on.

    Args:
        portal: serves what is answered at once.
        jobs: serve the rest.
        queries: answer queries, with dates in RFC 3339.
        inventories: render rows in the same way.
        events: tell what changes.
        callers: tell whose session it is.
        nouns: the resources and APIs.
        menu: where they stand, with the pages of plugins.
        routes: where the API has them.
        static: files.
        templates: pages.
        version: the appliance's.
    """

    portal: Portal
    jobs: Jobs
    queries: Queries
    inventories: Inventories
    events: Events
    callers: Callers
    nouns: Nouns
    menu: Menu
    routes: Routes
    static: Static
    templates: jinja2.Environment
    version: str


@dataclass(frozen=True)
class Visit:
    """A request, and who made it.

    Args:
        inside: what pages stand on.
        request: as it came.
        principal: for whom; without an account when nobody is signed in.
        at: when it came, as the last batch that had been told by then; a page shows no less than that.
    """

    inside: Inside
    request: Request
    principal: Principal
    at: int

    @property
    def session(self) -> str | None:
        """The key that the browser holds."""
        return self.request.cookies.get(SESSION_COOKIE)

    @property
    def nouns(self) -> Nouns:
        """The resources and APIs."""
        return self.inside.nouns

    @property
    def is_htmx(self) -> bool:
        """Whether a script of ours asks, for a part of a page."""
        return "hx-request" in self.request.headers

    @property
    def is_part(self) -> bool:
        """Whether the answer is put somewhere beside the page."""
        return self.is_htmx and self.request.headers.get("hx-target") not in (None, "page")

    @property
    def is_dialog(self) -> bool:
        """Whether the answer goes into a dialog above the page."""
        return self.request.headers.get("hx-target") == "dialog-body"

    @functools.cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """The query string."""
        return parse_qsl(self.request.scope["query_string"].decode("latin-1"), keep_blank_values=True)

    def one(self, name: str, default: str = "") -> str:
        """One parameter of the query string."""
        return next((value for key, value in self.pairs if key == name), default)

    def many(self, name: str) -> list[str]:
        """Every value of a parameter."""
        return [value for key, value in self.pairs if key == name]

    @property
    def address(self) -> str:
        """Where the browser is, to come back to."""
        query = self.request.scope["query_string"].decode("latin-1")
        return quote(self.request.scope["path"]) + (f"?{query}" if query else "")

    def page(self, template: str, status: int = 200, headers: dict[str, str] | None = None, **context: Any) -> Response:
        """A page, or the part of it that was asked for."""
        started = time.perf_counter()
        note = "" if self.is_part else unquote(self.request.cookies.get(NOTE_COOKIE, ""))
        text = self.inside.templates.get_template(template).render(
            visit=self,
            me=self.principal,
            account=self._account_name(),
            csrf=token_of(self.session) if self.session else "",
            menu=self.inside.menu.of(self.principal),
            version=self.inside.version,
            theme=_one_of(THEMES, self.request.cookies.get("zstack-theme")),
            density=_one_of(DENSITIES, self.request.cookies.get("zstack-density")),
            shell="bare.html" if self.is_dialog else "layout.html",
            note=note,
            **context,
        )
        took = (time.perf_counter() - started) * 1000
        all_headers = {"cache-control": "no-store", "server-timing": f"render;dur={took:.1f}", **(headers or {})}
        answer = HTMLResponse(text, status, all_headers)
        if note:
            answer.delete_cookie(NOTE_COOKIE, path="/ui")
        return answer

    def go(self, path: str, note: str = "") -> Response:
        """Send the browser on, with a word about what was done."""
        answer: Response
        if self.is_htmx:
            where = {"path": path, "target": "#page", "select": "#page", "swap": "outerHTML show:window:top"}
            answer = Response(status_code=204, headers={"hx-location": msgspec.json.encode(where).decode()})
        else:
            answer = RedirectResponse(path, 303)
        if note:
            answer.set_cookie(NOTE_COOKIE, quote(note[:400]), max_age=20, path="/ui", httponly=True, samesite="strict")
        return answer

    def leave(self, path: str) -> Response:
        """Send the browser to a page of another kind, such as the sign-in."""
        if self.is_htmx:
            return Response(status_code=204, headers={"hx-redirect": path})
        return RedirectResponse(path, 303)

    def name_of(self, cls: type[Record], uuid: str) -> tuple[str, str | None]:
        """What a row is called, and its page; a row that this person may not see is called by its uuid."""
        row = self.inside.portal.kernel.store.get(cls, uuid)
        if row is None or not self.inside.portal.visible(type(row), uuid, self.principal):
            return uuid, None
        noun = self.nouns.of(cls)
        return title_of(row), f"/ui{noun.path}/{uuid}" if noun is not None else None

    def _account_name(self) -> str:
        if not self.principal.account_uuid:
            return ""
        row = self.inside.portal.kernel.store.reader.anything(self.principal.account_uuid)
        return title_of(row) if row is not None else ""

    def url(self, noun: Noun, uuid: str = "") -> str:
        """The page of a resource, or of one row."""
        return f"/ui{noun.path}/{uuid}" if uuid else f"/ui{noun.path}"


def title_of(row: Record) -> str:
    """What people call a row."""
    if isinstance(row, Resource):
        return row.name
    for name in ("tag", "ip", "name", "host_name", "network_service_type"):
        value = getattr(row, name, None)
        if isinstance(value, str) and value:
            return value
    api = getattr(row, "api", None)
    return api_words(api) if isinstance(api, str) else row.uuid[:8]


async def read_form(request: Request) -> list[tuple[str, str]]:
    """The fields of a form, in order.

    Raises:
        Refusal: it is too large, or no form.
        ClientDisconnect: the browser went away.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    parts: list[bytes] = []
    size = 0
    async with aclosing(request.stream()) as stream:
        async for part in stream:
            size += len(part)
            if size > LARGEST_FORM:
                raise Refusal(413, f"a form may have {LARGEST_FORM} bytes; shorten its longest field")
            parts.append(part)
    if size and kind != "application/x-www-form-urlencoded":
        raise Refusal(415, "send a form as application/x-www-form-urlencoded")
    try:
        text = b"".join(parts).decode("ascii")
        return parse_qsl(text, keep_blank_values=True, max_num_fields=5000, errors="strict")
    except ValueError:
        raise Refusal(400, "the form is no valid UTF-8, or has too many fields") from None


def _one_of(known: tuple[str, ...], value: str | None) -> str:
    return value if value in known else known[0]
