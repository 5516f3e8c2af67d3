"""Who acts: `Principal`, and the one account that exists before all others."""

from __future__ import annotations

from dataclasses import dataclass

ADMIN_ACCOUNT = "36c27e8ff05c4780bf6d2fa65700f22e"
"""The administrator's account uuid; ZStack's clients know it as a constant."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The account on whose behalf something is done.

    Args:
        account_uuid: the account that owns what is created.
        admin: whether it is of type SystemAdmin, who may do everything.
        session_uuid: the stored session's uuid (a hash, no key), if it came with one.
        source: where the call came from: an address, ``local`` for the machine itself, "" for the appliance.
        user_uuid: who acts for the account, where it is not the account itself; it may do less.
    """

    account_uuid: str
    admin: bool
    session_uuid: str | None = None
    source: str = ""
    user_uuid: str | None = None


SYSTEM = Principal(ADMIN_ACCOUNT, admin=True)
"""The appliance itself: background tasks and recovery act as this."""

NOBODY = Principal("", admin=False)
"""A caller without a session; only what is declared ``session=False`` serves it."""
