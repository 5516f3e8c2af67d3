"""What the deep run concludes from what `ping` wrote."""

from __future__ import annotations

import pytest

from tests.deep.run import lost_in_a_row


def wrote(answered: list[int], sent: int) -> str:
    lines = "".join(f"[1.5] 64 bytes from 10.0.2.2: icmp_seq={number} ttl=255 time=1 ms\n" for number in answered)
    return f"PING 10.0.2.2\n{lines}--- statistics ---\n{sent} packets transmitted, {len(answered)} received\n"


@pytest.mark.parametrize(
    ("answered", "sent", "lost"),
    [
        ([1, 2, 3], 3, 0),
        ([1, 3], 3, 1),
        ([1, 5, 7], 7, 3),
        ([3], 5, 2),
        ([], 5, 4),
        ([2, 1, 3], 3, 0),
    ],
)
def test_the_longest_run_of_lost_pings(answered: list[int], sent: int, lost: int) -> None:
    assert lost_in_a_row(wrote(answered, sent)) == (lost, sent)


def test_a_ping_that_said_nothing() -> None:
    assert lost_in_a_row("") == (0, 0), "too few were sent, which the run refuses"
