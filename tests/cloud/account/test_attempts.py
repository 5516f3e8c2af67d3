"""How long a login has to wait after others failed."""

from __future__ import annotations

from zstack_appliance.cloud.account.attempts import (
    FORGOTTEN_AFTER,
    FREE_PER_ACCOUNT,
    FREE_PER_SOURCE,
    LONGEST_WAIT,
    MOST_KEPT,
    LoginAttempts,
)


class Clock:
    """A clock that a test sets."""

    now = 1_000_000

    def millis(self) -> int:
        """What it was set to."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.now += int(seconds * 1000)


def exhausted(clock: Clock, account: str = "admin", source: str = "10.0.0.1") -> LoginAttempts:
    """Attempts in which an account has failed as often as it may for free."""
    attempts = LoginAttempts(clock)
    for _ in range(FREE_PER_ACCOUNT):
        assert attempts.begin(account, source) == 0
    return attempts


def test_the_wait_doubles_up_to_a_bound() -> None:
    clock = Clock()
    attempts = exhausted(clock)
    waits = []
    for _ in range(12):
        wait = attempts.begin("admin", "10.0.0.1")
        waits.append(wait)
        clock.sleep(wait)
        assert attempts.begin("admin", "10.0.0.1") == 0
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, LONGEST_WAIT]


def test_asking_too_early_costs_nothing_more() -> None:
    clock = Clock()
    attempts = exhausted(clock)
    assert [attempts.begin("admin", "10.0.0.1") for _ in range(3)] == [1, 1, 1]
    clock.sleep(0.5)
    assert attempts.begin("admin", "10.0.0.1") == 1
    clock.sleep(0.5)
    assert attempts.begin("admin", "10.0.0.1") == 0


def test_nobody_is_locked_out_from_elsewhere() -> None:
    attempts = exhausted(Clock())
    assert attempts.begin("admin", "10.0.0.1") > 0
    assert attempts.begin("admin", "10.0.0.2") == 0
    assert attempts.begin("alice", "10.0.0.1") == 0


def test_a_source_that_tries_many_names_waits_too() -> None:
    attempts = LoginAttempts(Clock())
    for number in range(FREE_PER_SOURCE):
        assert attempts.begin(f"name{number}", "10.0.0.1") == 0
    assert attempts.begin("another", "10.0.0.1") > 0


def test_success_clears_the_count() -> None:
    attempts = exhausted(Clock())
    attempts.succeeded("admin", "10.0.0.1")
    assert attempts.begin("admin", "10.0.0.1") == 0


def test_old_failures_are_forgotten() -> None:
    clock = Clock()
    attempts = exhausted(clock)
    clock.sleep(FORGOTTEN_AFTER)
    for _ in range(FREE_PER_ACCOUNT):
        assert attempts.begin("admin", "10.0.0.1") == 0
    assert attempts.begin("admin", "10.0.0.1") == 1


def test_one_machine_is_one_source_whichever_of_its_addresses_it_uses() -> None:
    attempts = exhausted(Clock(), source="2001:db8::1")
    assert attempts.begin("admin", "2001:db8::2") > 0
    assert attempts.begin("admin", "2001:db8:0:1::1") == 0
    mapped = exhausted(Clock(), source="::ffff:10.0.0.1")
    assert mapped.begin("admin", "::ffff:10.0.0.2") == 0
    local = exhausted(Clock(), source="local")
    assert local.begin("admin", "local") > 0


def test_memory_is_bounded() -> None:
    clock = Clock()
    attempts = exhausted(clock)
    for number in range(MOST_KEPT):
        attempts.begin("x", f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert attempts.begin("admin", "10.0.0.1") == 0, "the oldest count went first"
