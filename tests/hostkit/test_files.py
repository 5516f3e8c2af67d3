"""Folders that survive a crash whole or not at all."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import trio

from tests.eventually import eventually
from zstack_appliance.hostkit.files import (
    OWNER,
    building,
    discard,
    ensure_folder,
    explained,
    own_root,
    space,
    storage_root,
    sweep,
    uuid_part,
)
from zstack_appliance.kernel.remote import HostCommandFailed


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


async def build_half(final: Path) -> None:
    async with building(final) as part:
        (part / "file").write_text("half")
        raise HostCommandFailed("it failed")


async def test_a_folder_appears_when_it_is_complete(tmp_path: Path) -> None:
    final = tmp_path / "deep" / "x"
    async with building(final) as part:
        (part / "file").write_text("content")
        assert not final.exists()
        assert part.parent == final.parent
    assert (final / "file").read_text() == "content"
    assert names(final.parent) == {"x"}


async def test_an_error_or_a_cancel_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(HostCommandFailed, match="it failed"):
        await build_half(tmp_path / "x")
    with trio.CancelScope() as scope:
        async with building(tmp_path / "x") as part:
            (part / "folder").mkdir()
            scope.cancel()
            await trio.lowlevel.checkpoint()
    assert scope.cancelled_caught
    assert names(tmp_path) == set()


async def test_what_exists_is_never_replaced(tmp_path: Path) -> None:
    final = tmp_path / "x"
    final.mkdir()
    (final / "file").write_text("old")
    with pytest.raises(HostCommandFailed, match=r"cannot finish .*x: Directory not empty"):
        async with building(final) as part:
            (part / "file").write_text("new")
    assert (final / "file").read_text() == "old"
    assert names(tmp_path) == {"x"}


async def test_two_do_not_build_the_same(tmp_path: Path) -> None:
    async with building(tmp_path / "x") as part:
        (part / "file").write_text("first")
        with pytest.raises(HostCommandFailed, match="being worked on by another command"):
            async with building(tmp_path / "x"):
                pass
        with pytest.raises(HostCommandFailed, match="being worked on by another command"):
            await discard(tmp_path / "x")
        assert await sweep(tmp_path) == ()
    assert names(tmp_path) == {"x"}


async def test_a_folder_that_is_finished_just_before_it_is_locked_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = tmp_path / "x.part"
    part.mkdir()
    (part / "file").write_text("finished")
    lock = fcntl.flock

    def finish_first(fd: int, operation: int) -> None:
        if part.exists() and not (tmp_path / "x").exists():
            part.rename(tmp_path / "x")
        lock(fd, operation)

    monkeypatch.setattr(fcntl, "flock", finish_first)
    assert await sweep(tmp_path) == ()
    (tmp_path / "x").rename(part)
    with pytest.raises(HostCommandFailed, match="Directory not empty"):
        async with building(tmp_path / "x"):
            pass
    assert (tmp_path / "x" / "file").read_text() == "finished"
    assert names(tmp_path) == {"x"}


async def test_what_a_crash_left_is_emptied_before_building(tmp_path: Path) -> None:
    left = tmp_path / "x.part"
    (left / "folder").mkdir(parents=True)
    (left / "file").write_text("half")
    (left / "link").symlink_to(tmp_path)
    async with building(tmp_path / "x") as part:
        assert names(part) == set()
    assert names(tmp_path) == {"x"}


async def test_a_link_in_the_place_of_an_unfinished_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("keep")
    (tmp_path / "x.part").symlink_to(tmp_path / "precious")
    with pytest.raises(HostCommandFailed, match="cannot prepare"):
        async with building(tmp_path / "x"):
            pass
    assert await sweep(tmp_path) == ()
    assert names(tmp_path / "precious") == {"file"}


async def test_discarding_says_whether_it_was_there(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "file").write_text("content")
    assert await discard(tmp_path / "x") is True
    assert await discard(tmp_path / "x") is False
    assert names(tmp_path) == set()


async def test_what_another_holds_is_not_discarded(tmp_path: Path) -> None:
    final = tmp_path / "x"
    final.mkdir()
    held = os.open(final, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(HostCommandFailed, match="being worked on"):
            await discard(final)
    finally:
        os.close(held)
    assert names(tmp_path) == {"x"}


async def test_sweeping_removes_unfinished_folders_only(tmp_path: Path) -> None:
    for name in ("a.part", "b", "c.part"):
        (tmp_path / name / "inner").mkdir(parents=True)
    (tmp_path / "file.part").write_text("a plain file")
    assert await sweep(tmp_path) == ("a.part", "c.part")
    assert names(tmp_path) == {"b", "file.part"}


async def test_a_killed_builder_holds_nothing(tmp_path: Path) -> None:
    program = textwrap.dedent(f"""
        import trio
        from pathlib import Path
        from zstack_appliance.hostkit.files import building
        async def main():
            async with building(Path({str(tmp_path)!r}) / "x") as part:
                (part / "half").touch()
                await trio.sleep_forever()
        trio.run(main)
    """)
    process = await trio.lowlevel.open_process([sys.executable, "-c", program], stdin=subprocess.DEVNULL)
    await eventually((tmp_path / "x.part" / "half").exists, within=20)
    assert await sweep(tmp_path) == ()
    process.send_signal(signal.SIGKILL)
    await process.wait()
    assert await sweep(tmp_path) == ("x.part",)
    assert names(tmp_path) == set()


async def test_a_file_system_is_measured(tmp_path: Path) -> None:
    found = await space(tmp_path)
    assert 0 < found.available <= found.total
    with pytest.raises(HostCommandFailed, match="cannot measure"):
        await space(tmp_path / "gone")


def test_folders_may_be_passed_but_not_listed_by_others(tmp_path: Path) -> None:
    ensure_folder(tmp_path / "a" / "b")
    (tmp_path / "kept").mkdir(mode=0o700)
    ensure_folder(tmp_path / "kept")
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o711
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o700


def test_a_root_belongs_to_one_appliance(tmp_path: Path) -> None:
    root = tmp_path / "storage"
    own_root(root, "abc123")
    own_root(root, "abc123")
    assert (root / OWNER).read_text() == "abc123\n"
    with pytest.raises(HostCommandFailed, match=r"another appliance \(instance abc123\)"):
        own_root(root, "fedcba")


def test_a_crash_before_the_mark_was_written_does_not_hinder(tmp_path: Path) -> None:
    (tmp_path / OWNER).touch()
    own_root(tmp_path, "abc123")
    assert (tmp_path / OWNER).read_text() == "abc123\n"


@pytest.mark.parametrize("text", ["/srv", "/srv/a b/c.d"])
def test_plain_absolute_paths_may_hold_a_storage(text: str) -> None:
    assert storage_root(text) == Path(text)


@pytest.mark.parametrize("text", ["", "/", "srv", "//srv", "/srv/", "/srv/../etc", "/srv/./a", "/srv\0"])
def test_other_paths_may_not(text: str) -> None:
    with pytest.raises(HostCommandFailed, match="cannot hold a storage"):
        storage_root(text)


def test_uuids_are_parts_of_paths_and_nothing_else_is() -> None:
    assert uuid_part("0" * 32) == "0" * 32
    for text in ("", "..", "A" * 32, "0" * 31, f"{'0' * 32}\n", "a/b"):
        with pytest.raises(HostCommandFailed, match="is not a uuid"):
            uuid_part(text)


def test_an_error_of_the_system_is_told_in_words() -> None:
    told = r"cannot do it: No such file or directory \(/nowhere\)"
    with pytest.raises(HostCommandFailed, match=told), explained("cannot do it"):
        Path("/nowhere").stat()
