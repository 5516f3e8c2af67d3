"""A simulated host's disks."""

from __future__ import annotations

import pytest

from zstack_appliance.hostkit.simulated_files import SimulatedFile, SimulatedFiles
from zstack_appliance.kernel.remote import HostCommandFailed


def file(size: int) -> SimulatedFile:
    return SimulatedFile("raw", size, size)


def test_files_take_and_give_back_space() -> None:
    files = SimulatedFiles(total=100)
    files.put("/a/x", file(40))
    files.put("/a/x", file(50))
    files.put("/a/y", file(10))
    assert files.space().available == 40
    files.remove("/a")
    files.remove("/a")
    assert files.space().available == files.space().total == 100


def test_what_has_no_room_is_not_written() -> None:
    files = SimulatedFiles(total=100)
    files.put("/a/x", file(60))
    with pytest.raises(HostCommandFailed, match="No space left"):
        files.put("/a/y", file(41))
    files.put("/a/x", file(100))
    assert files.get("/a/y") is None
    assert files.space().available == 0


def test_folders_are_listed_in_order_and_by_whole_names() -> None:
    files = SimulatedFiles()
    for path in ("/a/z", "/a/b/y", "/a/b/x", "/ab/w"):
        files.put(path, file(1))
    assert [path for path, _ in files.inside("/a")] == ["/a/z"]
    assert [path for path, _ in files.below("/a")] == ["/a/b/x", "/a/b/y", "/a/z"]
    assert [path for path, _ in files.below("/a/b")] == ["/a/b/x", "/a/b/y"]
    assert files.inside("/none") == files.below("/none") == []
