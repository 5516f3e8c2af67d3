"""A small one-file program for tests: a boot loader that does not run, and an archive as PyInstaller writes it."""

from __future__ import annotations

from pathlib import Path

from PyInstaller.archive.writers import CArchiveWriter

from installer.archive import append

LOADER = b"\x7fELF boot loader " * 1000
MODULES, LIBRARY = b"modules" * 5000, b"library" * 5000
IMAGE = bytes(range(256)) * 5000


def bare_program(folder: Path, modules: bytes = MODULES) -> Path:
    """One without our files behind it."""
    folder.mkdir(exist_ok=True)
    library, pyz, page = folder / "lib.so", folder / "PYZ.pyz", folder / "page.html"
    library.write_bytes(LIBRARY)
    pyz.write_bytes(modules)
    page.write_text("<p>page</p>")
    package = folder / "package"
    CArchiveWriter(
        str(package),
        [
            ("pyi-contents-directory _old", "", False, "o"),
            ("PYZ.pyz", str(pyz), False, "z"),
            ("lib.so.1", str(library), True, "b"),
            ("lib.so", "lib.so.1", False, "n"),
            ("webui/page.html", str(page), True, "x"),
        ],
        pylib_name="libpython3.11.so.1.0",
    )
    path = folder / "bare"
    path.write_bytes(LOADER + package.read_bytes())
    return path


def one_file(folder: Path, modules: bytes = MODULES) -> Path:
    """A whole one, with an image behind it."""
    program = bare_program(folder, modules)
    image = folder / "image"
    image.write_bytes(IMAGE)
    append(program, folder / "program", {"images/tiny.qcow2": image})
    return folder / "program"
