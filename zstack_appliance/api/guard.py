"""Keeps web pages from reaching the cloud through the browser of somebody at this machine.

Primitive: `LoopbackGuard`. A page's own name may be made to mean 127.0.0.1 after it has been loaded (DNS
rebinding); to the browser it then talks to its own server. Such a request names a host that we are not, and
a page of another site names itself as its origin. Doors on other addresses have TLS, whose certificate makes
both impossible.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose


class LoopbackGuard:
    """Refuses, at loopback doors without TLS, requests that were meant for somebody else.

    Args:
        app: what is guarded.
        names: further names under which this machine's loopback doors are reached, through a proxy or a
            tunnel; in lower case.
    """

    def __init__(self, app: ASGIApp, names: Collection[str] = ()) -> None:
        self._app = app
        self._names = frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is good; answer the rest."""
        if scope["type"] not in ("http", "websocket") or not _is_plain_loopback(scope):
            await self._app(scope, receive, send)
            return
        fault = self._fault(Headers(scope=scope))
        if fault is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(code=1008, reason=fault[1])(scope, receive, send)
        else:
            await PlainTextResponse(f"{fault[1]}\n", fault[0])(scope, receive, send)

    def _fault(self, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if not self._is_ours(_host_of(f"//{host}")):
            return 421, f"this door serves localhost, not [{host[:100]}]; use http://localhost or its address"
        origin = headers.get("origin")
        if origin is None or origin.partition("://")[2] == host or _host_of(origin) in self._names:
            return None
        return 403, f"pages of [{origin[:100]}] may not call this door"

    def _is_ours(self, host: str | None) -> bool:
        """Whether a name cannot be one that a stranger has made to mean this machine."""
        if not host:
            return False
        is_local = host == "localhost" or host.endswith(".localhost")
        return is_local or host in self._names or _address(host) is not None


def _is_plain_loopback(scope: Scope) -> bool:
    server = scope.get("server")
    if scope.get("scheme") in ("https", "wss") or not server:
        return False
    address = _address(server[0])
    return address is not None and address.is_loopback


def _host_of(url: str) -> str | None:
    """The host in a URL, in lower case, without brackets and port; None when there is none."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


@functools.lru_cache(maxsize=256)
def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a text is; None for a name. Doors see the same few again and again."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
