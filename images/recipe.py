"""What an image is made of, as a value.

Primitives: `Recipe`, and `load`, which reads one from a folder with a ``recipe.toml``. A recipe may extend
another: its lists are added to the other's and its overlay lies on top, so a router is the tiny guest plus
its own few packages and files.
"""

from __future__ import annotations

import hashlib
import tomllib
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from images.tree import File, Tree, read_folder

_LISTS = ("packages", "files", "boot_modules", "modules", "folders")
_KEYS = frozenset({"name", "extends", "size_mib", "boot_mib", "kernel", "modes", *_LISTS})
_NAMESPACE = uuid.UUID("d3bb1a1e-6a0c-5cf5-9a0c-2f3f0b6a3a11")


class RecipeError(ValueError):
    """A recipe.toml that cannot be built; the text says what to change."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """An image to build."""

    name: str
    size_mib: int
    """Virtual size of the disk in MiB. A clone may be larger: the guest grows its root at boot."""
    boot_mib: int
    """Size of the FAT partition with boot loader, kernel and initrd."""
    kernel: str
    """A Debian metapackage; the package named ``linux-image-<version>`` that it depends on is used."""
    packages: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    """Paths taken from the packages, each with the shared libraries it needs."""
    boot_modules: tuple[str, ...] = ()
    """Kernel modules that the initrd loads, in this order, before it looks for the root disk."""
    modules: tuple[str, ...] = ()
    """Kernel modules in the root file system, besides those of the initrd."""
    folders: tuple[str, ...] = ()
    """Empty folders of the root file system."""
    modes: Mapping[str, int] = field(default_factory=dict)
    """Permission bits that differ from what git keeps."""
    overlay: Tree = field(default_factory=dict, repr=False)
    """Files laid over those of the packages in the root file system."""
    initrd: Tree = field(default_factory=dict, repr=False)
    """Files of the initrd, ``init`` among them."""

    def uuid(self, purpose: str) -> uuid.UUID:
        """The same identifier at every build, for a file system or another part that needs one."""
        return uuid.uuid5(_NAMESPACE, f"{self.name}/{purpose}")

    @property
    def signature(self) -> str:
        """The MBR's disk signature, eight hexadecimal digits; root=PARTUUID is made from it."""
        return self.uuid("disk").hex[:8]

    def fingerprint(self) -> str:
        """A hash over everything the recipe says, its overlays' contents included."""
        digest = hashlib.sha256()
        plain = {k: v for k, v in asdict(self).items() if k not in {"overlay", "initrd"}}
        digest.update(repr(sorted(plain.items())).encode())
        for tree in (self.initrd, self.overlay):
            for path, entry in sorted(tree.items()):
                shown = (entry.mode, hashlib.sha256(entry.content).hexdigest()) if isinstance(entry, File) else entry
                digest.update(repr((path, shown)).encode())
        return digest.hexdigest()


def load(folder: Path) -> Recipe:
    """Read ``recipe.toml`` in `folder`, with ``root/`` and ``initrd/`` beside it as overlays.

    Raises:
        RecipeError: a key is unknown or missing, or a value has the wrong type.
        OSError: the file cannot be read.
    """
    path = folder / "recipe.toml"
    try:
        return parse(tomllib.loads(path.read_text("utf-8")), folder)
    except (tomllib.TOMLDecodeError, RecipeError) as fault:
        raise RecipeError(f"{path}: {fault}") from fault


def parse(written: Mapping[str, Any], folder: Path) -> Recipe:
    """A recipe from the keys of its file; `folder` has its overlays, and its siblings what it extends."""
    unknown = sorted(set(written) - _KEYS)
    if unknown:
        raise RecipeError(f"unknown key {', '.join(unknown)}; known are {', '.join(sorted(_KEYS))}")
    base = vars(load(folder.parent / _string(written, "extends", {}))) if "extends" in written else {}
    modes = written.get("modes", {})
    if not isinstance(modes, dict) or not all(isinstance(mode, int) for mode in modes.values()):
        raise RecipeError('modes is a table such as "etc/shadow" = 0o600')
    return Recipe(
        name=_string(written, "name", {}),
        size_mib=_number(written, "size_mib", base),
        boot_mib=_number(written, "boot_mib", base),
        kernel=_string(written, "kernel", base),
        modes={**base.get("modes", {}), **modes},
        overlay={**base.get("overlay", {}), **read_folder(folder / "root")},
        initrd={**base.get("initrd", {}), **read_folder(folder / "initrd")},
        **{name: _list(written, name, base) for name in _LISTS},
    )


def _string(written: Mapping[str, Any], key: str, base: Mapping[str, Any]) -> str:
    value = written.get(key, base.get(key))
    if not isinstance(value, str):
        raise RecipeError(f'{key} = "…" is missing or not a string')
    return value


def _number(written: Mapping[str, Any], key: str, base: Mapping[str, Any]) -> int:
    value = written.get(key, base.get(key))
    if not isinstance(value, int) or value <= 0:
        raise RecipeError(f"{key} is missing or not a positive whole number")
    return value


def _list(written: Mapping[str, Any], key: str, base: Mapping[str, Any]) -> tuple[str, ...]:
    before: tuple[str, ...] = base.get(key, ())
    value = written.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise RecipeError(f"{key} is a list of strings")
    return (*before, *(item for item in value if item not in before))
