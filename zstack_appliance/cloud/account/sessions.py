"""Sessions: who a request acts for.

Primitives: `Sessions.principal`, which the doors ask at every request, and `stored_uuid` (the hash under
which a session is kept).
"""

from __future__ import annotations

import hashlib

from zstack_appliance.cloud.account.schema import Session
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.store import Store
from zstack_appliance.kernel.world import Clock


def stored_uuid(session_uuid: str) -> str:
    """The row's uuid for the one that a client holds: 128 bits of BLAKE2, in hex.

    A session's uuid is random, so a fast hash without salt is as good as a slow one.
    """
    return hashlib.blake2b(session_uuid.encode(), digest_size=16, person=b"zstack.session").hexdigest()


class Sessions:
    """Finds the account behind a session: one hash and one point read."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def principal(self, session_uuid: str) -> Principal | None:
        """Whom a session acts for; None when it is unknown or has expired."""
        session = self._store.get(Session, stored_uuid(session_uuid))
        if session is None or session.expired_date <= self._clock.millis():
            return None
        return Principal(
            session.account_uuid, admin=session.admin, session_uuid=session.uuid, user_uuid=session.user_uuid
        )
