"""Tickets open one stream, once and soon."""

from __future__ import annotations

import random

from trio.abc import Stream

from zstack_appliance.kernel.tickets import MOST, Open, Ticket, Tickets
from zstack_appliance.kernel.world import Entropy


class HandClock:
    """Time that a test moves by hand."""

    now = 1_000

    def millis(self) -> int:
        """Now."""
        return self.now


async def nothing() -> Stream:
    raise AssertionError("nobody asked for it")


def tickets(clock: HandClock) -> Tickets:
    return Tickets(clock, Entropy(random.Random(1)))


def opens(issued: Tickets, ticket: Ticket) -> Open:
    grant = issued.redeem(ticket.token)
    assert grant is not None
    return grant.open


def test_a_ticket_is_good_once() -> None:
    issued = tickets(HandClock())
    ticket = issued.issue(nothing, 30)
    assert ticket.expires == 31_000
    assert len(ticket.token) == 64
    assert opens(issued, ticket) is nothing
    assert issued.redeem(ticket.token) is None
    assert issued.redeem("") is None


def test_a_ticket_expires() -> None:
    clock = HandClock()
    issued = tickets(clock)
    late, just = issued.issue(nothing, 30), issued.issue(nothing, 30.001)
    clock.now += 30_000
    assert issued.redeem(late.token) is None
    assert opens(issued, just) is nothing


def test_tickets_that_nobody_uses_do_not_pile_up() -> None:
    clock = HandClock()
    issued = tickets(clock)
    first = issued.issue(nothing, 30)
    kept = [issued.issue(nothing, 30) for _ in range(MOST)]
    assert issued.redeem(first.token) is None
    assert opens(issued, kept[0]) is nothing


def test_a_ticket_whose_holder_has_lost_the_right_is_worthless() -> None:
    issued = tickets(HandClock())
    held = [True]
    first, second = (issued.issue(nothing, 30, lambda: held[0]) for _ in range(2))
    assert opens(issued, first) is nothing
    held[0] = False
    assert issued.redeem(second.token) is None
