"""The door itself: `Ui`, which finds the page of a request, and `ui_routes`, where it stands.

Whoever is not signed in is sent to sign in, and comes back. Whatever changes something needs the token of the
person's own page. Every answer carries the headers of `security.py`.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from importlib.resources.abc import Traversable
from urllib.parse import quote, urlsplit

from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from zstack_appliance.api.auth import Callers
from zstack_appliance.api.refusal import Refusal
from zstack_appliance.api.ui import (
    acts,
    asking,
    dashboard,
    details,
    lists,
    live,
    operations,
    palette,
    reference,
    signing,
)
from zstack_appliance.api.ui.menu import Menu
from zstack_appliance.api.ui.nouns import Noun, Nouns
from zstack_appliance.api.ui.plugin_pages import plugin_page
from zstack_appliance.api.ui.security import FORM_FIELD, FORM_HEADER, HEADERS, SESSION_COOKIE, is_own_origin, is_token
from zstack_appliance.api.ui.static import Static
from zstack_appliance.api.ui.templates import make_environment
from zstack_appliance.api.ui.visit import Inside, Visit, read_form
from zstack_appliance.kernel.derive.route import Routes
from zstack_appliance.kernel.errors import (
    CloudError,
    Conflict,
    Forbidden,
    InvalidArgument,
    NotFound,
    Unauthenticated,
    Unavailable,
)
from zstack_appliance.kernel.events.service import Events
from zstack_appliance.kernel.job import Jobs
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.portal import Portal
from zstack_appliance.kernel.query import Queries

PREFIX = "/ui"

_STATUS = (
    (NotFound, 404), (Forbidden, 403), (Unauthenticated, 401), (InvalidArgument, 400), (Conflict, 409),
    (Unavailable, 503),
)  # fmt: skip

Pairs = list[tuple[str, str]]


def make_ui(
    root: Traversable,
    portal: Portal,
    jobs: Jobs,
    queries: Queries,
    nouns: Nouns,
    plugins: Iterable[Plugin],
    routes: Routes,
    events: Events,
    callers: Callers,
    version: str,
) -> list[BaseRoute]:
    """The routes of the UI.

    Args:
        root: the folder ``webui``, or the same inside an archive.
        portal: serves what is answered at once.
        jobs: serve the rest.
        queries: answer queries, with dates in RFC 3339.
        nouns: the resources and APIs.
        plugins: bring pages.
        routes: where the API has them.
        events: tell what changes.
        callers: tell whose session it is.
        version: the appliance's.
    """
    static = Static(root, f"{PREFIX}/static")
    templates = make_environment(root, static)
    return ui_routes(
        Inside(
            portal,
            jobs,
            queries,
            queries.inventories,
            events,
            callers,
            nouns,
            Menu(nouns, plugins),
            routes,
            static,
            templates,
            version,
        )
    )


def ui_routes(inside: Inside) -> list[BaseRoute]:
    """The UI below its prefix, and the way to it from ``/``."""

    async def home(_: Request) -> Response:
        return RedirectResponse(f"{PREFIX}/", 302)

    static = Route("/static/{version}/{path:path}", inside.static.serve, methods=["GET"])
    files = Mount(f"{PREFIX}", routes=[static, Mount("/", app=Ui(inside).app)])
    return [Route("/", home, methods=["GET"]), Route(PREFIX, home, methods=["GET"]), files]


class Ui:
    """Finds pages, and answers them."""

    def __init__(self, inside: Inside) -> None:
        self._inside = inside
        packed = GZipMiddleware(self._answer, minimum_size=1000, compresslevel=5)
        self.app: ASGIApp = _Headers(packed)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        principal = self._inside.callers.of_session(request, request.cookies.get(SESSION_COOKIE))
        visit = Visit(self._inside, request, principal, self._inside.events.number)
        try:
            response = await self._serve(visit)
        except ClientDisconnect:
            return
        except Refusal as refusal:
            response = visit.page("error.html", refusal.status, problem=refusal.text, code="")
        except Unauthenticated:
            response = visit.leave(f"/ui/sign-in?next={quote(_here(visit))}")
        except CloudError as error:
            status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
            response = visit.page("error.html", status, problem=error.details, code=error.code)
        await response(scope, receive, send)

    async def _serve(self, visit: Visit) -> Response:
        path = visit.request.scope["path"].removeprefix(PREFIX)
        method = visit.request.method
        if method not in ("GET", "HEAD", "POST"):
            raise Refusal(405, "pages are read by GET and changed by POST", {"allow": "GET, POST"})
        if method == "POST" and not is_own_origin(visit.request):
            raise Refusal(403, "another site's page sent this; open the form here and send it again")
        if path == "/sign-in":
            return await (signing.sign_in(visit) if method == "POST" else signing.sign_in_page(visit))
        if not visit.principal.account_uuid:
            raise Unauthenticated("sign in first")
        if method == "POST":
            pairs = await read_form(visit.request)
            _check_token(visit, pairs)
            return await self._post(visit, path, pairs)
        return await self._get(visit, path)

    async def _get(self, visit: Visit, path: str) -> Response:
        page = _PAGES.get(path.rstrip("/") or "/")
        if page is not None:
            return await page(visit)
        if path.startswith("/reference/"):
            return await reference.resource_page(visit, path.removeprefix("/reference/"))
        if path.startswith("/plugins/"):
            return await plugin_page(visit, path.removeprefix("/plugins/"))
        noun, rest = _resolve(visit, path)
        what, name, *more = (*rest, "", "")
        if any(more):
            raise _nowhere(path)
        if _UUID.fullmatch(what):
            return await details.detail_page(visit, noun, what, name)
        if what in _OF_ONE_NAME:
            return await _OF_ONE_NAME[what](visit, noun, name)
        if what in _OF_A_LIST and not name:
            return await _OF_A_LIST[what](visit, noun)
        raise _nowhere(path)

    async def _post(self, visit: Visit, path: str, pairs: Pairs) -> Response:
        if path == "/sign-out":
            return await signing.sign_out(visit)
        if path in ("/tags/add", "/tags/remove"):
            return await acts.tag(visit, path.rpartition("/")[2], pairs)
        noun, rest = _resolve(visit, path)
        if len(rest) == 2 and rest[0] in _SENT:
            return await _SENT[rest[0]](visit, noun, rest[1], pairs)
        raise _nowhere(path)


_UUID = re.compile(r"[0-9a-f]{32}")

_PAGES: dict[str, Callable[[Visit], Awaitable[Response]]] = {
    "/": dashboard.dashboard_page,
    "/live": live.live_stream,
    "/operations": operations.operations_part,
    "/palette": palette.palette_part,
    "/reference": reference.index_page,
}

_OF_A_LIST: dict[str, Callable[[Visit, Noun], Awaitable[Response]]] = {
    "": lists.list_page,
    "rows": lists.rows_part,
    "complete": lists.completions,
}
_OF_ONE_NAME: dict[str, Callable[[Visit, Noun, str], Awaitable[Response]]] = {
    "new": acts.new_page,
    "do": acts.act_page,
}
_SENT: dict[str, Callable[[Visit, Noun, str, Pairs], Awaitable[Response]]] = {
    "new": acts.make,
    "do": acts.act,
    "said": acts.said_part,
    "ask": asking.ask_part,
    "placement": acts.placement_part,
}


def _resolve(visit: Visit, path: str) -> tuple[Noun, list[str]]:
    """The resource whose path this begins with, the longest such, and what follows.

    Raises:
        NotFound: there is none.
    """
    parts = [part for part in path.split("/") if part]
    for end in range(len(parts), 0, -1):
        noun = visit.nouns.at("/" + "/".join(parts[:end]))
        if noun is not None:
            if not visit.nouns.may_see(noun, visit.principal):
                raise Forbidden(f"{noun.many} are for administrators; ask one if you need to see them")
            return noun, parts[end:]
    raise _nowhere(path)


def _nowhere(path: str) -> NotFound:
    return NotFound(f"there is no page {path[:200]}; the menu leads to those that there are")


def _check_token(visit: Visit, pairs: Pairs) -> None:
    given = visit.request.headers.get(FORM_HEADER) or next((v for k, v in pairs if k == FORM_FIELD), "")
    if visit.session is None or not is_token(given, visit.session):
        raise Refusal(403, "this form was made for another session; open it again and send it once more")


def _here(visit: Visit) -> str:
    """The page that the browser shows, to come back to."""
    shown = visit.request.headers.get("hx-current-url")
    if shown is None:
        return visit.address if visit.request.method in ("GET", "HEAD") else "/ui/"
    parts = urlsplit(shown)
    return parts.path + (f"?{parts.query}" if parts.query else "")


class _Headers:
    """Puts the headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                raw = list(message.get("headers", ()))  # type: ignore[call-overload]
                message = {**message, "headers": [*raw, *_RAW]}
            await send(message)

        await self._app(scope, receive, with_headers)  # type: ignore[arg-type]


_RAW = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
