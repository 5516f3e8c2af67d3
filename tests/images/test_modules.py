"""Kernel modules are loaded after what they depend on, and modprobe's files say the same."""

from __future__ import annotations

import pytest

from images.modules import Shelf, closure, index_files, shelf_of
from images.tree import File
from tests.images import elves

BASE = "usr/lib/modules/6.1.0-1-cloud-amd64"


def shelf() -> Shelf:
    return Shelf(
        "6.1.0-1-cloud-amd64",
        {
            f"{BASE}/kernel/virtio.ko": File(elves.module(depends="virtio_ring")),
            f"{BASE}/kernel/virtio_ring.ko": File(elves.module(depends="")),
            f"{BASE}/kernel/virtio-rng.ko": File(elves.module(depends="virtio", alias=["virtio:d4v*"])),
            f"{BASE}/kernel/other.ko": File(elves.module(depends="")),
        },
    )


def names(modules: list[str]) -> list[str]:
    return [module.path.rsplit("/", 1)[1] for module in closure(shelf(), modules)]


def test_each_comes_after_what_it_depends_on_and_once() -> None:
    assert names(["virtio_rng", "virtio"]) == ["virtio_ring.ko", "virtio.ko", "virtio-rng.ko"]


def test_dash_and_underscore_are_the_same() -> None:
    assert names(["virtio-rng"]) == names(["virtio_rng"])


def test_an_unknown_module_is_named() -> None:
    with pytest.raises(LookupError, match="no module absent"):
        closure(shelf(), ["absent"])


def test_index_files_list_dependencies_from_right_to_left() -> None:
    files = index_files(shelf(), closure(shelf(), ["virtio_rng"]))
    dep, alias = files[f"{BASE}/modules.dep"], files[f"{BASE}/modules.alias"]
    assert isinstance(dep, File)
    assert isinstance(alias, File)
    assert dep.content.decode().splitlines() == [
        "kernel/virtio-rng.ko: kernel/virtio.ko kernel/virtio_ring.ko",
        "kernel/virtio.ko: kernel/virtio_ring.ko",
        "kernel/virtio_ring.ko:",
    ]
    assert alias.content == b"alias virtio:d4v* virtio_rng\n"


def test_a_package_has_the_modules_of_one_kernel() -> None:
    package = {**shelf().modules, "boot/vmlinuz-6.1": File(b"")}
    assert shelf_of(package) == shelf()
    with pytest.raises(LookupError, match="of one kernel"):
        shelf_of({"boot/vmlinuz-6.1": File(b"")})
    with pytest.raises(LookupError, match="of one kernel"):
        shelf_of({**package, "usr/lib/modules/6.2/kernel/x.ko": File(b"")})
