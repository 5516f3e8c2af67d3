"""Passwords at rest: argon2 over the SHA-512 that clients send.

Primitives: `Passwords` (makes and checks hashes, away from the event loop) and `client_hash` (what clients
make of a password before they send it).
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import argon2
import trio
from argon2.exceptions import VerifyMismatchError

from zstack_appliance.kernel.errors import Internal

T = TypeVar("T")

ARGON2 = argon2.PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
"""19 MiB and two passes: the least that OWASP's cheat sheet on password storage (2024) accepts for argon2id.
More would only slow guessing of a stolen database down, at the cost of memory on small machines."""


class Offload(Protocol):
    """Runs a function that computes for long, without holding up the event loop."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """What `work` returns."""


def in_a_thread() -> Offload:
    """An `Offload` with one thread at a time, so that a burst of logins costs the memory of one."""
    limiter = trio.CapacityLimiter(1)

    async def offload(work: Callable[[], T]) -> T:
        return await trio.to_thread.run_sync(work, limiter=limiter)

    return offload


class Passwords:
    """Makes and checks stored hashes.

    Args:
        offload: where the computing is done.
        hasher: argon2 with its costs; hashes name theirs, so that changing them leaves old ones valid.
    """

    def __init__(self, offload: Offload, hasher: argon2.PasswordHasher = ARGON2) -> None:
        self._offload = offload
        self._hasher = hasher
        self._nobodys: str | None = None

    async def hash(self, given: str) -> str:
        """What to store for what a client sends as its password."""
        return await self._offload(lambda: self._hasher.hash(given))

    async def matches(self, stored: str | None, given: str) -> bool:
        """Whether `given` is the password behind `stored`.

        With None, for an account that does not exist, it takes as long and says no, so that nobody learns
        from the time it takes which names exist.

        Raises:
            Internal: what is stored is no hash.
        """
        return await self._offload(lambda: self._matches(stored, given))

    def _matches(self, stored: str | None, given: str) -> bool:
        try:
            self._hasher.verify(stored or self._nobodys_hash(), given)
        except VerifyMismatchError:
            return False
        except argon2.exceptions.InvalidHashError as error:
            raise Internal("the stored password is damaged; set a new one", detail_for_log=str(error)) from error
        return stored is not None

    def _nobodys_hash(self) -> str:
        if self._nobodys is None:
            self._nobodys = self._hasher.hash("nobody's")
        return self._nobodys


def client_hash(password: str) -> str:
    """What ZStack's clients send for a password: its SHA-512 in lower-case hex."""
    return hashlib.sha512(password.encode()).hexdigest()
