"""A short soak: a few hundred VMs come and go, and nothing that must stay flat grows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.soak import Soak, growth, soak

CYCLES = 400


@pytest.mark.long
def test_hundreds_of_vms_leave_nothing(tmp_path: Path) -> None:
    run = soak(CYCLES, tmp_path)
    assert run.finished == CYCLES
    assert run.refused > 0, "no host failed, so that this proves little"
    assert run.excess() == [], run.grown()
    assert run.left() == {}


def test_rows_left_are_told_by_table() -> None:
    run = Soak(1, before={"host": 2, "job": 1}, after={"host": 2, "job": 9, "kernel_change_of": 5, "used_ip": 1})
    assert run.left() == {"used_ip": 1}


def test_growth_is_of_the_last_quarter() -> None:
    assert growth([5.0] * 40) == 0
    assert growth([float(x) for x in range(40)]) > 0.3
    assert growth([9.0, 8.0, 7.0, *[4.0] * 37]) == 0
