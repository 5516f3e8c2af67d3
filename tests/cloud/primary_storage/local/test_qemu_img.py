"""qemu-img as the storage uses it."""

from __future__ import annotations

import fcntl
import struct
from pathlib import Path

import pytest

from tests.contracts.disks import create_qcow2, describe_qcow2
from tests.contracts.loopback import RealRuntime
from zstack_appliance.cloud.primary_storage.local import qemu_img
from zstack_appliance.kernel.remote import HostCommandFailed

F_OFD_SETLK = 37
"""From fcntl.h; Python 3.11 does not name it."""


async def test_a_clone_reads_its_image_in_the_given_format(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.write_bytes(b"raw, whatever it looks like".ljust(4096))
    clone = tmp_path / "clone"
    await qemu_img.create_clone(clone, image, "raw", 8192, RealRuntime(tmp_path))
    said = describe_qcow2(str(clone))
    assert (said["virtual-size"], said["backing-filename"], said["backing-filename-format"]) == (
        8192,
        str(image),
        "raw",
    )
    info = await qemu_img.info(clone, RealRuntime(tmp_path))
    assert (info.virtual_size, info.backing_filename) == (8192, str(image))


async def test_a_clone_of_nothing_fails(tmp_path: Path) -> None:
    with pytest.raises(HostCommandFailed, match="No such file"):
        await qemu_img.create_clone(tmp_path / "x", tmp_path / "none", "raw", 512, RealRuntime(tmp_path))


async def test_a_volume_that_a_vm_has_locked_is_still_read(tmp_path: Path) -> None:
    file = create_qcow2(tmp_path / "x", "1M")
    with file.open("r+b") as held:
        # QEMU marks a writer by read locks on byte 100 + permission and 200 + permission not shared.
        for byte in (100, 101, 103, 200, 201, 203):
            fcntl.fcntl(held, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, byte, 1, 0))
        with pytest.raises(HostCommandFailed, match="lock"):
            await RealRuntime(tmp_path).run(
                ["qemu-img", "info", "-f", "qcow2", str(file)], memory_limit=2**29, private_network=True
            )
        assert (await qemu_img.info(file, RealRuntime(tmp_path))).virtual_size == 2**20


async def test_the_memory_limit_leaves_room_for_a_large_volume(tmp_path: Path) -> None:
    runtime = RealRuntime(tmp_path)
    await qemu_img.create_empty(tmp_path / "x", 16 * 2**40, runtime)
    assert (await qemu_img.info(tmp_path / "x", runtime)).virtual_size == 16 * 2**40
