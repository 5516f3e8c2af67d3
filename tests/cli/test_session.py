"""The session that is kept."""

from __future__ import annotations

import stat
from pathlib import Path

from zstack_appliance.cli.session import KeptSession, forget_session, read_session, session_file, write_session


def test_it_is_kept_for_its_user_alone_and_forgotten_twice(tmp_path: Path) -> None:
    file = session_file({"XDG_STATE_HOME": str(tmp_path)})
    assert file == tmp_path / "zstack-appliance" / "session"
    assert read_session(file) is None
    for uuid in ("one", "two"):
        kept = KeptSession(url="http://h", uuid=uuid, account="admin")
        write_session(file, kept)
        assert read_session(file) == kept
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in file.parent.iterdir()] == ["session"]
    forget_session(file)
    forget_session(file)
    assert read_session(file) is None


def test_a_damaged_one_counts_as_none(tmp_path: Path) -> None:
    file = tmp_path / "session"
    file.write_text("{")
    assert read_session(file) is None


def test_without_xdg_it_is_below_home() -> None:
    assert session_file({}) == Path.home() / ".local" / "state" / "zstack-appliance" / "session"
