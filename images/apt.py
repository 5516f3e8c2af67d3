"""Debian packages: which ones the host's apt would take, and their files in a cache. Nothing is installed.

Primitives: `Package` (one version, with its checksum), `plan`, `fetch`, `contents`.
"""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from images.command import CommandError, run
from images.tree import File, Folder, Link, Tree, merged

_URI = re.compile(r"^'[^']+' (?P<file>(?P<name>[^_ ]+)_[^ ]+\.deb) \d+ SHA256:(?P<sha256>[0-9a-f]{64})$")
_KERNEL = re.compile(r"^Depends:.*?\b(?P<name>linux-image-[^\s,(]+)", re.MULTILINE)


class PackageError(RuntimeError):
    """A package that apt cannot give; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Package:
    """One package file in one version."""

    name: str
    file: str
    """Its file name, which has the version in it."""
    sha256: str


def plan(names: Iterable[str]) -> list[Package]:
    """The versions that apt would download now, by the package lists on this machine; no network is used.

    Raises:
        PackageError: apt does not know a package; usually its lists are missing.
    """
    wanted = sorted(set(names))
    try:
        done = run("apt-get", "-qq", "download", "--print-uris", *wanted)
    except CommandError as fault:
        raise PackageError(f"{fault}\nIf the package lists are missing or old, run apt-get update.") from fault
    packages = parse_uris(done.stdout.decode())
    missing = set(wanted) - {package.name for package in packages}
    if missing:
        raise PackageError(f"apt offers no download of {', '.join(sorted(missing))}; run apt-get update")
    return packages


def parse_uris(text: str) -> list[Package]:
    """The packages in what ``apt-get download --print-uris`` prints, sorted by name."""
    found = (_URI.match(line) for line in text.splitlines())
    packages = [Package(m["name"], m["file"], m["sha256"]) for m in found if m is not None]
    return sorted(packages, key=lambda package: package.name)


def kernel_package(metapackage: str) -> str:
    """The package that a kernel metapackage stands for today.

    Raises:
        PackageError: it is unknown, or it depends on no kernel.
    """
    try:
        shown = run("apt-cache", "show", "--no-all-versions", metapackage).stdout.decode()
    except CommandError as fault:
        raise PackageError(f"{fault}\nIf the package lists are missing or old, run apt-get update.") from fault
    return parse_kernel(metapackage, shown)


def parse_kernel(metapackage: str, shown: str) -> str:
    """The kernel package named in the Depends line of a metapackage's record."""
    found = _KERNEL.search(shown)
    if found is None:
        raise PackageError(f"{metapackage} depends on no package linux-image-*; it is not a kernel metapackage")
    return found["name"]


def fetch(packages: Sequence[Package], cache: Path) -> dict[str, Path]:
    """Have the package files in `cache`, downloading those that are missing or damaged.

    Older versions of the same packages are removed from the cache.

    Returns:
        The path of each package's file, by package name.

    Raises:
        PackageError: a download failed.
    """
    cache.mkdir(parents=True, exist_ok=True)
    missing = [package for package in packages if not _intact(cache / package.file, package.sha256)]
    if missing:
        _download(missing, cache)
    for package in packages:
        for old in cache.glob(f"{package.name}_*.deb"):
            if old.name != package.file:
                old.unlink()
    return {package.name: cache / package.file for package in packages}


def _download(packages: Sequence[Package], cache: Path) -> None:
    # A folder of its own: a file gets its final name only when it is whole and its checksum is right.
    partial = cache / "partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    names = [package.name for package in packages]
    try:
        run("apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *names, cwd=partial)
    except CommandError as fault:
        raise PackageError(f"{fault}\nIf apt speaks of 404, its lists are old: run apt-get update.") from fault
    for package in packages:
        got = partial / package.file
        if not _intact(got, package.sha256):
            raise PackageError(f"{package.file} did not arrive whole; try again")
        got.rename(cache / package.file)
    partial.rmdir()


def _intact(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def contents(package: Path) -> Tree:
    """What a package would put on disk, with paths under merged /usr."""
    return untar(run("dpkg-deb", "--fsys-tarfile", package).stdout)


def untar(data: bytes) -> Tree:
    """A tar archive as a tree; a hard link becomes a second file, and device nodes are left out."""
    tree: Tree = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            path = merged(member.name)
            if member.isdir():
                tree[path] = Folder(member.mode & 0o7777)
            elif member.issym():
                tree[path] = Link(member.linkname)
            elif member.isfile() or member.islnk():
                body = archive.extractfile(member)
                assert body is not None, "a regular file in a tar archive has a body"
                tree[path] = File(body.read(), member.mode & 0o7777)
    tree.pop(".", None)
    return tree
