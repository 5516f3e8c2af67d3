"""From a recipe and the contents of its packages to the root file system and the initrd. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from images import modules
from images.libraries import with_libraries
from images.recipe import Recipe
from images.tree import MERGED_LINKS, Entry, File, Folder, Link, Tree, resolve, with_modes, with_parents

BUSYBOX = "usr/bin/busybox"
_INITRD_APPLETS = (
    "blockdev", "cat", "dd", "hexdump", "insmod", "mount", "printf", "reboot", "sh", "sleep", "switch_root",
)  # fmt: skip


def kernel_image(package: Mapping[str, Entry]) -> bytes:
    """The bootable file of a kernel package.

    Raises:
        LookupError: the package has none.
    """
    for path in package:
        if path.startswith("boot/vmlinuz-"):
            return resolve(package, path).content
    raise LookupError("the kernel package has no boot/vmlinuz-*")


def root_tree(recipe: Recipe, shelf: Mapping[str, Entry], kernel: modules.Shelf, applets: Iterable[str]) -> Tree:
    """The root file system: packages' files, kernel modules, busybox links, then the overlay over all.

    Args:
        recipe: what to take.
        shelf: the contents of all packages but the kernel's.
        kernel: the kernel's modules.
        applets: paths of busybox's commands, such as ``bin/ls``.

    Raises:
        LookupError: a file, library or module is in none of the packages.
    """
    drivers = modules.closure(kernel, (*recipe.boot_modules, *recipe.modules))
    links: Tree = {_applet(path): Link(f"/{BUSYBOX}") for path in applets}
    whole: Tree = {
        **MERGED_LINKS,
        **links,
        **{path: Folder() for path in (*recipe.folders, "root")},
        **with_libraries(recipe.files, shelf),
        **{module.path: module.file for module in drivers},
        **modules.index_files(kernel, drivers),
        "etc/resolv.conf": Link("/run/resolv.conf"),
        **recipe.overlay,
    }
    return with_modes(with_parents(whole), recipe.modes)


def initrd_tree(recipe: Recipe, shelf: Mapping[str, Entry], kernel: modules.Shelf) -> Tree:
    """The initrd: busybox, the modules that reach the root disk with the order to load them, and init."""
    drivers = modules.closure(kernel, recipe.boot_modules)
    order = "".join(f"{module.path}\n" for module in drivers)
    return {
        **MERGED_LINKS,
        **{path: Folder() for path in ("dev", "proc", "sys", "root", "usr/sbin", "usr/lib", "usr/lib64")},
        BUSYBOX: resolve(shelf, BUSYBOX),
        **{f"usr/bin/{name}": Link("busybox") for name in _INITRD_APPLETS},
        **{module.path: module.file for module in drivers},
        "modules": File(order.encode()),
        **recipe.initrd,
    }


def _applet(path: str) -> str:
    return path if path.startswith("usr/") else f"usr/{path}"
