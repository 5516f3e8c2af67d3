"""A whole disk: MBR, boot partition, root partition, as a compressed qcow2 file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from images.command import CommandError, run
from images.filesystems import MIB, ext4, fat16
from images.recipe import Recipe
from images.tree import Entry

_MBR_CODE = (Path("/usr/lib/syslinux/mbr/mbr.bin"), Path("/usr/lib/SYSLINUX/mbr.bin"))
_MBR_CODE_SIZE = 440
_GAP_MIB = 1
"""Before the first partition, which begins on a 1 MiB boundary as sfdisk and every other tool has it."""

_SYSLINUX = """\
DEFAULT linux
PROMPT 0
LABEL linux
  KERNEL /vmlinuz
  INITRD /initrd
  APPEND root=PARTUUID={signature}-02 console=tty1 console=ttyS0,115200 quiet panic=10
"""


def assemble(recipe: Recipe, kernel: bytes, initrd: bytes, root: Mapping[str, Entry], *, work: Path, out: Path) -> None:
    """Write the disk as `out`.

    Args:
        recipe: names, sizes and identifiers.
        kernel: the kernel's image.
        initrd: the compressed archive.
        root: the root file system.
        work: an empty folder for the parts.
        out: the qcow2 file; it appears only when it is whole.

    Raises:
        CommandError: a tool is missing or failed, for instance because the parts do not fit the sizes.
    """
    boot, ext, raw = work / "boot.fat", work / "root.ext4", work / "disk.raw"
    configuration = _SYSLINUX.format(signature=recipe.signature).encode()
    fat16(boot, recipe.boot_mib, "BOOT", {"vmlinuz": kernel, "initrd": initrd, "syslinux.cfg": configuration})
    root_mib = recipe.size_mib - recipe.boot_mib - _GAP_MIB
    ext4(ext, root_mib, recipe.name, recipe.uuid("root"), root)
    with raw.open("wb") as disk:
        disk.truncate(recipe.size_mib * MIB)
    run("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", raw, stdin=_partitions(recipe).encode())
    with raw.open("r+b") as disk:
        disk.write(_mbr_code())
        disk.seek(_GAP_MIB * MIB)
        disk.write(boot.read_bytes())
        disk.seek((_GAP_MIB + recipe.boot_mib) * MIB)
        disk.write(ext.read_bytes())
    whole = work / "disk.qcow2"
    run("qemu-img", "convert", "-q", "-f", "raw", "-O", "qcow2", "-c", raw, whole)
    whole.replace(out)


def _partitions(recipe: Recipe) -> str:
    sectors = MIB // 512
    boot = recipe.boot_mib * sectors
    return (
        f"label: dos\nlabel-id: 0x{recipe.signature}\n"
        f"start={_GAP_MIB * sectors}, size={boot}, type=6, bootable\n"
        f"start={_GAP_MIB * sectors + boot}, type=83\n"
    )


def _mbr_code() -> bytes:
    for path in _MBR_CODE:
        if path.is_file():
            return path.read_bytes()[:_MBR_CODE_SIZE]
    raise CommandError("syslinux's mbr.bin is not installed; apt-get install syslinux-common")
