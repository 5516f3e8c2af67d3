"""A disk has two partitions where the boot loader and the initrd look for them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from images.command import CommandError, run
from images.disk import assemble
from images.recipe import Recipe
from images.tree import File

RECIPE = Recipe(name="x", size_mib=64, boot_mib=20, kernel="k")


def test_a_disk_has_a_boot_and_a_root_partition(tmp_path: Path) -> None:
    assemble(RECIPE, b"kernel", b"initrd", {"etc/x": File(b"y")}, work=tmp_path, out=tmp_path / "x.qcow2")
    information = json.loads(run("qemu-img", "info", "--output=json", tmp_path / "x.qcow2").stdout)
    assert information["format"] == "qcow2"
    assert information["virtual-size"] == 64 << 20
    raw = tmp_path / "again.raw"
    run("qemu-img", "convert", "-f", "qcow2", "-O", "raw", tmp_path / "x.qcow2", raw)
    table = json.loads(run("sfdisk", "--json", raw).stdout)["partitiontable"]
    assert table["id"] == f"0x{RECIPE.signature}"
    boot, root = table["partitions"]
    assert (boot["type"], boot["bootable"], boot["start"], boot["size"]) == ("6", True, 2048, 20 * 2048)
    assert (root["type"], root["start"], root["size"]) == ("83", 21 * 2048, 43 * 2048)
    configuration = run("mcopy", "-i", f"{raw}@@1M", "::/syslinux.cfg", "-").stdout.decode()
    assert f"root=PARTUUID={RECIPE.signature}-02 " in configuration
    assert raw.read_bytes()[510:512] == b"\x55\xaa"
    assert any(raw.read_bytes()[:440])


def test_nothing_appears_when_the_parts_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="mcopy"):
        assemble(RECIPE, b"k" * (21 << 20), b"", {}, work=tmp_path, out=tmp_path / "x.qcow2")
    assert not (tmp_path / "x.qcow2").exists()
