"""Kernel modules: which files a list of names needs, and the index files that modprobe reads.

Primitives: `Shelf` (a kernel package's modules by name), `closure`, `index_files`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from images import elf
from images.tree import Entry, File, Tree


@dataclass(frozen=True, slots=True)
class Module:
    """One kernel module of a package."""

    path: str
    """Below the file system's root, such as usr/lib/modules/6.1.0-50-cloud-amd64/kernel/fs/isofs/isofs.ko."""
    file: File
    depends: tuple[str, ...]
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class Shelf:
    """The modules of one kernel."""

    release: str
    """What `uname -r` says, and the name of the folder in /lib/modules."""
    modules: Mapping[str, File]
    """By path."""

    def find(self, name: str) -> Module:
        """A module by name; - and _ are the same in it, as for modprobe.

        Raises:
            LookupError: the kernel has no such module (it may be built in: leave it out of the recipe).
        """
        for path, file in self.modules.items():
            if _plain(posixpath.basename(path).removesuffix(".ko")) == _plain(name):
                info = elf.read(file.content).modinfo
                depends = ",".join(value for key, value in info if key == "depends")
                return Module(
                    path=path,
                    file=file,
                    depends=tuple(_plain(one) for one in depends.split(",") if one),
                    aliases=tuple(value for key, value in info if key == "alias"),
                )
        raise LookupError(f"kernel {self.release} has no module {name}; if it is built in, leave it out")


def shelf_of(package: Mapping[str, Entry]) -> Shelf:
    """The modules of a kernel package.

    Raises:
        LookupError: the package has no modules, or those of several kernels.
    """
    files = {path: e for path, e in package.items() if isinstance(e, File) and path.endswith(".ko")}
    releases = {path.split("/")[3] for path in files if path.startswith("usr/lib/modules/")}
    if len(releases) != 1:
        raise LookupError(f"a kernel package has the modules of one kernel, not of {sorted(releases)}")
    return Shelf(releases.pop(), files)


def closure(shelf: Shelf, names: Iterable[str]) -> list[Module]:
    """The named modules and all they depend on, each after what it depends on: insmod's order."""
    order: dict[str, Module] = {}

    def add(name: str) -> None:
        if name in order:
            return
        module = shelf.find(name)
        for needed in module.depends:
            add(needed)
        order[name] = module

    for name in names:
        add(_plain(name))
    return list(order.values())


def index_files(shelf: Shelf, modules: Iterable[Module]) -> Tree:
    """modules.dep and modules.alias for these modules, as depmod would write them."""
    folder = f"usr/lib/modules/{shelf.release}"
    dep: list[str] = []
    alias: list[str] = []
    for module in sorted(modules, key=lambda one: one.path):
        name = _plain(posixpath.basename(module.path).removesuffix(".ko"))
        # modprobe loads what is listed from right to left.
        needed = reversed(closure(shelf, [name])[:-1])
        paths = [posixpath.relpath(one.path, folder) for one in (module, *needed)]
        dep.append(f"{paths[0]}:{''.join(f' {path}' for path in paths[1:])}\n")
        alias += [f"alias {pattern} {name}\n" for pattern in module.aliases]
    return {
        f"{folder}/modules.dep": File("".join(dep).encode()),
        f"{folder}/modules.alias": File("".join(alias).encode()),
    }


def _plain(name: str) -> str:
    return name.replace("-", "_")
