"""One process at a time may use a data folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.store.lock import locked


def test_a_second_holder_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locked(path), pytest.raises(Conflict) as caught, locked(path):
        pass
    assert str(caught.value) == (
        f"the data folder {tmp_path} is in use by process {os.getpid()};"
        " stop that one first, or choose another --data folder"
    )


def test_it_is_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with locked(tmp_path / "lock"):
            pass


def test_what_a_killed_holder_left_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text("123456789\n")
    with locked(path):
        assert path.read_text() == f"{os.getpid()}\n"
