"""``flows.toml``: what it may say, and what it is told when it says something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.flow import Where
from zstack_appliance.kernel.flows_file import read_edits
from zstack_appliance.kernel.offered import FlowEdit


def test_no_file(tmp_path: Path) -> None:
    assert read_edits(tmp_path / "flows.toml") == ()


def test_edits_in_their_order_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "flows.toml"
    path.write_text('# mine\n[[step]]\nuse = "a.b"\nbefore = "f/x"\n\n[[step]]\ninstead_of = "f/y"\nuse = "a.c"\n')
    assert read_edits(path) == (
        FlowEdit("a.b", Where.BEFORE, "f/x", f"{path} line 2"),
        FlowEdit("a.c", Where.INSTEAD_OF, "f/y", f"{path} line 6"),
    )


def test_other_spellings_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "flows.toml"
    path.write_text('step = [{use = "a.b", after = "f/x"}]\n')
    assert read_edits(path) == (FlowEdit("a.b", Where.AFTER, "f/x", f"{path} step 1"),)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[[step", "is not TOML"),
        ('\n[flow]\nx = "y"\n', " line 2: there is no key 'flow'; write [[step]]"),
        ('step = "x"\n', " line 1: step is no list of tables"),
        ('[[step]]\nuse = "a.b"\n', " line 1: this step has use; write [[step]]"),
        ('[[step]]\nbefore = "f/x"\n', " line 1: this step has before"),
        ('[[step]]\nuse = "a.b"\nbefore = "f/x"\nafter = "f/x"\n', " line 1: this step has use, before, after"),
        ('[[step]]\nuse = "a.b"\nbefor = "f/x"\n', " line 1: there is no key 'befor'"),
        ('[[step]]\nuse = 1\nbefore = "f/x"\n', " line 1: use = 1 is no text"),
    ],
)
def test_what_is_refused(text: str, wanted: str, tmp_path: Path) -> None:
    path = tmp_path / "flows.toml"
    path.write_text(text)
    with pytest.raises(Conflict) as refused:
        read_edits(path)
    assert str(path) in str(refused.value)
    assert wanted in str(refused.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "flows.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(Conflict, match="cannot be read"):
        read_edits(path)
