"""Signing in and out: `sign_in_page`, `sign_in`, `sign_out`."""

from __future__ import annotations

import hashlib

from starlette.responses import RedirectResponse, Response

from zstack_appliance.api.ui.security import (
    FORM_FIELD,
    SESSION_COOKIE,
    VISIT_COOKIE,
    is_secure,
    is_token,
    own_path,
    token_of,
)
from zstack_appliance.api.ui.visit import Visit, read_form
from zstack_appliance.kernel.errors import CloudError
from zstack_appliance.kernel.validate import decode


async def sign_in_page(visit: Visit, problem: str = "", name: str = "", wished: str = "") -> Response:
    """The form; whoever is signed in already goes on."""
    wished = own_path(wished or visit.one("next"))
    if visit.principal.account_uuid and not problem:
        return visit.leave(wished)
    secret = visit.request.cookies.get(VISIT_COOKIE) or visit.inside.portal.kernel.entropy.uuid()
    answer = visit.page(
        "sign_in.html",
        401 if problem else 200,
        problem=problem,
        name=name,
        wished=wished,
        token=token_of(secret),
        plain_http=not is_secure(visit.request) and not _is_loopback(visit),
    )
    set_cookie(visit, answer, VISIT_COOKIE, secret)
    return answer


async def sign_in(visit: Visit) -> Response:
    """Open a session and keep its key in a cookie that no script can read."""
    fields = dict(await read_form(visit.request))
    wished, name = own_path(fields.get("next")), fields.get("account", "")
    secret = visit.request.cookies.get(VISIT_COOKIE, "")
    if not secret or not is_token(fields.get(FORM_FIELD, ""), secret):
        return await sign_in_page(visit, "This page was too old, or cookies are blocked. Try once more.", name, wished)
    password = hashlib.sha512(fields.get("password", "").encode()).hexdigest()
    message = visit.nouns.messages["LogInByAccount"]
    try:
        typed = decode(message, {"accountName": name, "password": password})
        session = await visit.inside.portal.serve(typed, visit.principal)
    except CloudError as error:
        return await sign_in_page(visit, f"{error.details[:1].upper()}{error.details[1:]}.", name, wished)
    answer = RedirectResponse(wished, 303)
    set_cookie(visit, answer, SESSION_COOKIE, session.uuid)
    answer.delete_cookie(VISIT_COOKIE, path="/ui")
    return answer


async def sign_out(visit: Visit) -> Response:
    """End the session, and forget its key."""
    message = visit.nouns.messages["LogOut"]
    await visit.inside.portal.serve(decode(message, {"sessionUuid": visit.session}), visit.principal)
    answer = visit.leave("/ui/sign-in")
    answer.delete_cookie(SESSION_COOKIE, path="/")
    return answer


def set_cookie(visit: Visit, answer: Response, name: str, value: str) -> None:
    """Set a cookie that goes nowhere else, and that no script sees."""
    path = "/" if name == SESSION_COOKIE else "/ui"
    answer.set_cookie(name, value, path=path, secure=is_secure(visit.request), httponly=True, samesite="strict")


def _is_loopback(visit: Visit) -> bool:
    host = visit.request.url.hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.") or host.endswith(".localhost")
