"""Whether QEMU's user can reach the data folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agents.kvm.access import QemuUser, closed_folder, qemu_user

QEMU = QemuUser(uid=64055, gid=994)


def capabilities(model: str, label: str) -> str:
    return (
        "<capabilities><host><secmodel><model>apparmor</model></secmodel><secmodel>"
        f"<model>{model}</model><baselabel type='kvm'>{label}</baselabel></secmodel></host></capabilities>"
    )


def test_the_user_is_what_libvirt_says() -> None:
    assert qemu_user(capabilities("dac", "+64055:+994")) == QEMU
    assert qemu_user(capabilities("selinux", "system_u:x")) == QemuUser(uid=0, gid=0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder two levels below one that anybody may pass through."""
    folder = tmp_path / "home" / "data"
    folder.mkdir(parents=True)
    for each in (folder, *folder.parents):
        if each.stat().st_mode & 0o005 != 0o005:
            each.chmod(0o755)
    return folder


def test_an_open_way_is_open(data: Path) -> None:
    assert closed_folder(data, QEMU) is None


@pytest.mark.parametrize("mode", [0o700, 0o750, 0o754])
def test_the_folder_that_closes_the_way_is_named(data: Path, mode: int) -> None:
    data.parent.chmod(mode)
    assert closed_folder(data, QEMU) == data.parent
    assert closed_folder(data, QemuUser(uid=0, gid=0)) is None


def test_the_data_folder_itself_counts(data: Path) -> None:
    data.chmod(0o700)
    assert closed_folder(data, QEMU) == data


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a folder away needs root")
def test_owner_and_group_have_bits_of_their_own(data: Path) -> None:
    data.chmod(0o710)
    os.chown(data, 0, QEMU.gid)
    assert closed_folder(data, QEMU) is None
    os.chown(data, QEMU.uid, 0)
    assert closed_folder(data, QEMU) is None
    data.chmod(0o077)
    assert closed_folder(data, QEMU) == data
