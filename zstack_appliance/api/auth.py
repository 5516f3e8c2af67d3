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
        if not needs_session:
            return replace(NOBODY, source=_source(request))
        header = request.headers.get("authorization")
        if header is None:
            local = self._trusted(request)
            if local is None:
                raise Refusal(400, "missing header 'Authorization'")
            return local
        scheme, _, session_uuid = header.partition(" ")
        if scheme.lower() != "oauth":
            raise Refusal(400, "Authorization type must be 'OAuth'")
        return self._holder(request, session_uuid.strip())

    def of_session(self, request: HTTPConnection, session_uuid: str | None) -> Principal:
        """Who calls with this session, wherever it stood; without an account when it is no good or None."""
        if session_uuid is None:
            return self._trusted(request) or replace(NOBODY, source=_source(request))
        return self._holder(request, session_uuid)

    def _holder(self, request: HTTPConnection, session_uuid: str) -> Principal:
        return replace(self._sessions.principal(session_uuid) or NOBODY, source=_source(request))

    def _trusted(self, request: HTTPConnection) -> Principal | None:
        """The administrator, if the operating system says that the caller is as good as that."""
        peer = peer_credentials(request.scope)
        if peer is None or peer.uid not in self._trusted_uids:
            return None
        return Principal(ADMIN_ACCOUNT, admin=True, source=LOCAL)


def _source(request: HTTPConnection) -> str:
    if peer_credentials(request.scope) is not None:
        return LOCAL
    return request.scope["client"][0] if request.scope.get("client") else ""
