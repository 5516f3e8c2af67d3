"""The built tiny image, for tests that need a guest."""

from __future__ import annotations

from pathlib import Path

from images import apt
from images.build import DEFAULT_CACHE, HERE, build
from images.content import BUSYBOX
from images.recipe import load
from images.tree import resolve


def tiny_image() -> Path:
    """The tiny image, where `make setup` has it; it is built now if that is out of date."""
    return build(load(HERE / "tiny"), DEFAULT_CACHE / "tiny.qcow2", DEFAULT_CACHE).path


def guest_busybox(folder: Path) -> Path:
    """The busybox that is in the image, put into `folder`; it is static and runs on the host."""
    tiny_image()
    (package,) = (DEFAULT_CACHE / "packages").glob("busybox-static_*.deb")
    busybox = folder / "busybox"
    busybox.write_bytes(resolve(apt.contents(package), BUSYBOX).content)
    busybox.chmod(0o755)
    return busybox
