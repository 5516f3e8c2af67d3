"""From a recipe and packages to the two file systems."""

from __future__ import annotations

from dataclasses import replace

import pytest

from images.content import initrd_tree, kernel_image, root_tree
from images.modules import Shelf
from images.recipe import Recipe
from images.tree import Entry, File, Folder, Link, Tree
from tests.images import elves

BASE = "usr/lib/modules/6.1"
KERNEL = Shelf(
    "6.1",
    {
        f"{BASE}/kernel/virtio_blk.ko": File(elves.module(depends="virtio")),
        f"{BASE}/kernel/virtio.ko": File(elves.module(depends="")),
        f"{BASE}/kernel/evdev.ko": File(elves.module(depends="")),
        f"{BASE}/kernel/unused.ko": File(elves.module(depends="")),
    },
)
SHELF: Tree = {
    "usr/bin/busybox": File(elves.program(), 0o755),
    "usr/share/doc/busybox": File(b"words"),
    "etc/issue": File(b"the package's"),
}
RECIPE = Recipe(
    name="x",
    size_mib=64,
    boot_mib=20,
    kernel="k",
    files=("usr/bin/busybox", "etc/issue"),
    boot_modules=("virtio_blk",),
    modules=("evdev",),
    folders=("proc",),
    modes={"root": 0o700},
    overlay={"etc/issue": File(b"ours"), "usr/bin/ls": File(b"our own ls", 0o755)},
    initrd={"init": File(b"#!/bin/sh\n", 0o755)},
)


def test_the_root_has_files_modules_links_folders_and_the_overlay_over_all() -> None:
    root = root_tree(RECIPE, SHELF, KERNEL, ["bin/ls", "bin/cat", "usr/bin/awk"])
    assert root["usr/bin/busybox"] == SHELF["usr/bin/busybox"]
    assert root["usr/bin/cat"] == root["usr/bin/awk"] == Link("/usr/bin/busybox")
    assert root["usr/bin/ls"] == File(b"our own ls", 0o755)
    assert root["etc/issue"] == File(b"ours")
    assert root["bin"] == Link("usr/bin")
    assert root["proc"] == Folder()
    assert root["root"] == Folder(0o700)
    assert "usr/share/doc/busybox" not in root
    assert {path for path in root if path.endswith(".ko")} == {
        f"{BASE}/kernel/{name}.ko" for name in ("virtio", "virtio_blk", "evdev")
    }
    assert f"{BASE}/modules.dep" in root
    assert list(root) == sorted(root)


def test_a_file_in_no_package_is_named() -> None:
    with pytest.raises(LookupError, match="usr/bin/gone"):
        root_tree(replace(RECIPE, files=("usr/bin/gone",)), SHELF, KERNEL, [])


def test_the_initrd_has_what_reaches_the_disk_in_order() -> None:
    tree = initrd_tree(RECIPE, SHELF, KERNEL)
    order = tree["modules"]
    assert isinstance(order, File)
    assert order.content.decode().splitlines() == [f"{BASE}/kernel/virtio.ko", f"{BASE}/kernel/virtio_blk.ko"]
    assert f"{BASE}/kernel/evdev.ko" not in tree
    assert tree["init"] == RECIPE.initrd["init"]
    assert tree["usr/bin/sh"] == Link("busybox")


def test_the_kernel_is_found_in_its_package() -> None:
    package: dict[str, Entry] = {"boot/config-6.1": File(b"c"), "boot/vmlinuz-6.1": File(b"k")}
    assert kernel_image(package) == b"k"
    with pytest.raises(LookupError, match="no boot/vmlinuz"):
        kernel_image({"boot/config-6.1": File(b"c")})
