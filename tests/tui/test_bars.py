"""Numbers as a terminal shows them."""

from __future__ import annotations

import pytest

from zstack_appliance.tui.bars import bar, share, size


@pytest.mark.parametrize(
    ("part", "text"),
    [(0, "    "), (1, "████"), (2, "████"), (-1, "    "), (0.5, "██  "), (0.53, "██▏ "), (0.25, "█   ")],
)
def test_a_bar_is_as_wide_as_asked(part: float, text: str) -> None:
    assert bar(part, 4) == text


def test_a_share_of_nothing_is_nothing() -> None:
    assert (share(1, 0), share(1, 4)) == (0.0, 0.25)


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1.5 * 2**30, "1.5 GiB"), (2**50, "1 PiB"), (2**70, "1048576 PiB")],
)
def test_sizes_have_the_largest_unit_that_fits(amount: float, text: str) -> None:
    assert size(amount) == text
