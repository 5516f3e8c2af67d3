"""What keeps a page's power with the person in front of it.

Primitives: `HEADERS` (on every answer), `token_of` and `is_token` (a secret that a form must repeat, so that no
other page can send it), `is_own_origin` and `own_path` (where a sign-in may lead).
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

from starlette.requests import Request

SESSION_COOKIE = "zstack-session"
VISIT_COOKIE = "zstack-visit"
"""A random value that stands in for a session on the sign-in page."""

FORM_FIELD, FORM_HEADER = "csrf", "x-csrf-token"
"""Where a form, or a script, repeats its token."""

HEADERS = {
    "content-security-policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def token_of(secret: str) -> str:
    """The token that goes with a session, or with a visit. It gives nothing away about either."""
    return hashlib.blake2b(secret.encode(), digest_size=16, person=b"zstack.csrf").hexdigest()


def is_token(given: str, secret: str) -> bool:
    """Whether a form was made for whoever holds this secret."""
    return hmac.compare_digest(given.encode(), token_of(secret).encode())


def is_own_origin(request: Request) -> bool:
    """Whether the page that sent this is one of ours, as far as the browser says."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def own_path(wished: str | None) -> str:
    """A path of ours to go on to; the dashboard for whatever is none."""
    if wished and wished.startswith("/ui/") and "\\" not in wished and wished.isprintable():
        return wished
    return "/ui/"


def is_secure(request: Request) -> bool:
    """Whether the browser reached us by https."""
    return bool(request.scope.get("scheme") == "https")
