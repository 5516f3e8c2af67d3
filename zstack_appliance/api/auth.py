"""Who a request acts for.

Primitives: `Sessions` (finds the account behind a session) and `Callers` (reads a request's credentials).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Protocol

from starlette.requests import HTTPConnection

from zstack_appliance.api.protocol import peer_credentials
from zstack_appliance.api.refusal import Refusal
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT, NOBODY, Principal

LOCAL = "local"
"""The source of a call that came over the unix socket."""


class Sessions(Protocol):
    """Finds the account behind a session."""

    def principal(self, session_uuid: str) -> Principal | None:
        """Whom a session acts for; None when it is unknown or has expired."""


class Callers:
    """Reads the credentials of requests.

    Args:
        sessions: finds accounts.
        trusted_uids: users who act as the administrator when they come over the unix socket.
    """

    def __init__(self, sessions: Sessions, trusted_uids: Collection[int] = (0,)) -> None:
        self._sessions = sessions
        self._trusted_uids = frozenset(trusted_uids)

    def caller(self, request: HTTPConnection, *, needs_session: bool) -> Principal:
        """Who calls. An unknown or expired session gives a principal without an account.

        Args:
            request: the request.
            needs_session: whether a request without credentials is refused here.

        Raises:
            Refusal: there are no credentials, or none of a kind that is understood.
        """
        peer = peer_credentials(request.scope)
        source = LOCAL if peer is not None else request.scope["client"][0] if request.scope.get("client") else ""
        header = request.headers.get("authorization")
        if not needs_session:
            return replace(NOBODY, source=source)
        if header is None:
            if peer is not None and peer.uid in self._trusted_uids:
                return Principal(ADMIN_ACCOUNT, admin=True, source=source)
            raise Refusal(400, "missing header 'Authorization'")
        scheme, _, session_uuid = header.partition(" ")
        if scheme.lower() != "oauth":
            raise Refusal(400, "Authorization type must be 'OAuth'")
        found = self._sessions.principal(session_uuid.strip()) or NOBODY
        return replace(found, source=source)
