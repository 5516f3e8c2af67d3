"""Passwords at rest."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal, TypeVar

import argon2
import pytest
import trio

from zstack_appliance.cloud.account.passwords import ARGON2, Passwords, client_hash, in_a_thread
from zstack_appliance.kernel.errors import Internal

T = TypeVar("T")

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Counting(argon2.PasswordHasher):
    """Counts what it verifies."""

    verified = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 — argon2's name
        self.verified += 1
        return super().verify(hash, password)


async def at_once(work: Callable[[], T]) -> T:
    return work()


async def test_a_password_is_known_again_and_no_other() -> None:
    passwords = Passwords(at_once, CHEAP)
    stored = await passwords.hash("secret")
    assert "secret" not in stored
    assert stored != await passwords.hash("secret")
    assert await passwords.matches(stored, "secret")
    assert not await passwords.matches(stored, "Secret")


async def test_an_account_that_does_not_exist_takes_as_much_work() -> None:
    counting = Counting(time_cost=1, memory_cost=8, parallelism=1)
    passwords = Passwords(at_once, counting)
    assert not await passwords.matches(None, "nobody's")
    assert counting.verified == 1


async def test_a_damaged_hash_is_not_a_wrong_password() -> None:
    with pytest.raises(Internal, match="damaged"):
        await Passwords(at_once, CHEAP).matches("not a hash", "secret")


async def test_old_hashes_stay_valid_when_costs_change() -> None:
    stored = await Passwords(at_once, CHEAP).hash("secret")
    dearer = argon2.PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    assert await Passwords(at_once, dearer).matches(stored, "secret")


async def test_the_production_costs_in_a_thread_of_their_own() -> None:
    assert (ARGON2.time_cost, ARGON2.memory_cost, ARGON2.parallelism) == (2, 19456, 1)
    passwords = Passwords(in_a_thread())
    stored = await passwords.hash("secret")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.matches(stored, "secret")


async def test_one_thread_at_a_time() -> None:
    offload = in_a_thread()
    most, running, lock = 0, 0, threading.Lock()
    both = threading.Barrier(2)

    def work() -> None:
        nonlocal most, running
        with lock:
            running += 1
            most = max(most, running)
        with pytest.raises(threading.BrokenBarrierError):
            both.wait(timeout=0.05)
        both.reset()
        with lock:
            running -= 1

    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(offload, work)
    assert most == 1


def test_what_clients_send() -> None:
    assert client_hash("password").startswith("b109f3bb")
    assert len(client_hash("pässword")) == 128
