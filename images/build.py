"""Build an image: ``python -m images.build --out FILE [--cache DIR] [--recipe NAME]``.

Primitives: `build`, which does nothing when the file is up to date, and `Built`, its answer.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from images import apt, content, disk, initrd, modules
from images.command import EPOCH, CommandError, run
from images.recipe import Recipe, RecipeError, load
from images.tree import Tree, resolve

HERE = Path(__file__).parent
DEFAULT_CACHE = HERE.parent / ".cache" / "images"


@dataclass(frozen=True, slots=True)
class Built:
    """An image file that is up to date."""

    path: Path
    key: str
    """Equal keys mean equal recipes, package versions and build code."""
    fresh: bool
    """False when the file was there already."""


def build(recipe: Recipe, out: Path, cache: Path) -> Built:
    """Have the recipe's image as `out`, with its key in ``<out>.key`` beside it.

    It is safe to interrupt and to repeat, and two builds with one cache wait for one another.

    Args:
        recipe: what to build.
        out: the qcow2 file.
        cache: a folder for downloaded packages and for unfinished work.

    Raises:
        PackageError: apt's lists are missing, or a download failed.
        CommandError: a tool is missing or failed.
        LookupError: a file, library or module is in none of the packages.
    """
    kernel = apt.kernel_package(recipe.kernel)
    packages = apt.plan((*recipe.packages, kernel))
    key = cache_key(recipe, packages)
    with _alone(cache):
        if up_to_date(out, key):
            return Built(out, key, fresh=False)
        files = apt.fetch(packages, cache / "packages")
        with _scratch(cache / "work") as work:
            _make(recipe, {name: apt.contents(path) for name, path in files.items()}, kernel, work)
            _install(work / "image.qcow2", out, key)
    return Built(out, key, fresh=True)


def cache_key(recipe: Recipe, packages: Sequence[apt.Package]) -> str:
    """A hash over all that decides an image's content, but for the versions of the host's tools."""
    digest = hashlib.sha256(recipe.fingerprint().encode())
    for package in packages:
        digest.update(f"{package.file} {package.sha256}\n".encode())
    for source in sorted(HERE.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def up_to_date(out: Path, key: str) -> bool:
    """Whether `out` was built with this key and has not been changed since."""
    try:
        written = _key_file(out).read_text("ascii").split()
        return written == [key, _sha256(out)]
    except FileNotFoundError:
        return False


def _make(recipe: Recipe, packages: dict[str, Tree], kernel: str, work: Path) -> None:
    kernel_tree = packages.pop(kernel)
    shelf: Tree = {path: entry for tree in packages.values() for path, entry in tree.items()}
    drivers = modules.shelf_of(kernel_tree)
    disk.assemble(
        recipe,
        content.kernel_image(kernel_tree),
        initrd.archive(content.initrd_tree(recipe, shelf, drivers), EPOCH),
        content.root_tree(recipe, shelf, drivers, _applets(shelf, work)),
        work=work,
        out=work / "image.qcow2",
    )


def _applets(shelf: Tree, work: Path) -> list[str]:
    """The commands that this busybox has, in its own words: it is static, so it runs here."""
    busybox = work / "busybox"
    busybox.write_bytes(resolve(shelf, content.BUSYBOX).content)
    busybox.chmod(0o755)
    paths = run(busybox, "--list-full").stdout.decode().split()
    return [path for path in paths if path not in {"bin/busybox", "linuxrc"}]


def _install(image: Path, out: Path, key: str) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    # The cache may be on another file system: copied beside the target first, then renamed.
    whole = out.with_name(f".{out.name}.new")
    shutil.move(image, whole)
    _key_file(out).unlink(missing_ok=True)
    whole.replace(out)
    _key_file(out).write_text(f"{key} {_sha256(out)}\n", "ascii")


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """An empty folder, removed at the end; one that a killed build left is removed first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _key_file(out: Path) -> Path:
    return out.with_name(f"{out.name}.key")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@click.command()
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The qcow2 file to write.")
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_CACHE,
    show_default=True,
    help="Downloaded packages, kept for the next build.",
)
@click.option("--recipe", "name", default="tiny", show_default=True, help="A folder beside this file.")
def main(out: Path, cache: Path, name: str) -> None:
    """Build a guest image from Debian packages, or leave it alone when it is up to date."""
    started = time.monotonic()
    try:
        built = build(load(HERE / name), out, cache)
    except (apt.PackageError, CommandError, RecipeError, LookupError, OSError) as fault:
        raise click.ClickException(str(fault)) from fault
    size = built.path.stat().st_size / (1 << 20)
    verb = "built" if built.fresh else "up to date"
    click.echo(f"{built.path}: {verb}, {size:.1f} MiB, {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
