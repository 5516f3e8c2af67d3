"""``qemu-img`` as this storage uses it: `info`, `create_clone`, `create_empty`; formats are always given."""

from __future__ import annotations

from pathlib import Path

import msgspec

from zstack_appliance.kernel.remote import HostCommandFailed, Runtime

MEMORY_LIMIT = 2 * 2**30
"""Address space in bytes. The tables of a 2 TiB volume take 512 MiB, and each of its threads reserves 72 MiB that it
hardly uses: with 512 MiB in all, 6 of 1,200 creations, eight at a time, were refused a thread; with 1 GiB none."""


class DiskInfo(msgspec.Struct, frozen=True, rename="kebab"):
    """What ``qemu-img info`` says of a qcow2 file, sizes in bytes."""

    virtual_size: int
    actual_size: int
    backing_filename: str | None = None


async def info(file: Path, runtime: Runtime) -> DiskInfo:
    """Read the header of a volume, also while a VM has it locked.

    Raises:
        HostCommandFailed: there is none, or it is damaged.
    """
    # -U: a running VM holds the file's write lock, and only sizes are read.
    done = await _qemu_img(runtime, "info", "-U", "-f", "qcow2", "--output=json", str(file))
    try:
        return msgspec.json.decode(done, type=DiskInfo)
    except msgspec.DecodeError as error:
        raise HostCommandFailed(f"qemu-img describes {file} in an unknown way: {error}") from error


async def create_clone(file: Path, image: Path, image_format: str, size: int, runtime: Runtime) -> None:
    """Make a qcow2 file that reads from an image what it does not hold itself."""
    await _qemu_img(runtime, "create", "-q", "-f", "qcow2", "-F", image_format, "-b", str(image), str(file), str(size))


async def create_empty(file: Path, size: int, runtime: Runtime) -> None:
    """Make a qcow2 file that holds nothing."""
    await _qemu_img(runtime, "create", "-q", "-f", "qcow2", str(file), str(size))


async def _qemu_img(runtime: Runtime, *arguments: str) -> str:
    done = await runtime.run(["qemu-img", *arguments], timeout=60, memory_limit=MEMORY_LIMIT, private_network=True)
    return done.stdout
