"""What is in the one file: everything that the tree has, the whole standard library, and little else."""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

from PyInstaller.archive.readers import CArchiveReader

from installer.archive import sizes
from tests.binary.conftest import ROOT, Run

BUDGET = 50_000_000
"""Bytes, without etcd."""
HELP_SECONDS = 0.8
"""Processor time; 0.35 s on an idle machine, half of it for unpacking."""

LEFT_OUT = {
    "antigravity", "distutils", "ensurepip", "idlelib", "lib2to3", "this", "tkinter", "turtle", "turtledemo", "venv",
}  # fmt: skip
"""Of the standard library: graphics, demonstrations, and what makes and installs packages."""


def modules(built: Path) -> set[str]:
    """The names of all modules that the program has."""
    archive = CArchiveReader(str(built))
    names = {name.split(".")[0] for name in archive.open_embedded_archive("PYZ.pyz").toc}
    base = subprocess.run(
        [sys.executable, "-c", "import sys; print(*sys.builtin_module_names)"],
        capture_output=True,
        text=True,
        check=True,
    )
    files = {Path(name).name.split(".")[0] for name in archive.toc}
    return names | files | set(base.stdout.split())


def test_the_plugins_are_those_of_the_tree(binary: Run) -> None:
    shown = binary("plugins", "--json")
    assert shown.returncode == 0, shown.stderr
    tree = subprocess.run(
        [sys.executable, "-m", "zstack_appliance", "plugins", "--json"], capture_output=True, text=True, check=True
    )
    assert json.loads(shown.stdout) == json.loads(tree.stdout)
    assert len(json.loads(shown.stdout)) > 10


def test_every_command_of_the_tree_is_there_with_its_help(binary: Run) -> None:
    tree = subprocess.run(
        [sys.executable, "-m", "zstack_appliance", "--help"], capture_output=True, text=True, check=True
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    shown = binary("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert shown.stdout.splitlines()[1:] == tree.stdout.splitlines()[1:]
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < HELP_SECONDS


def test_the_standard_library_is_whole(built: Path) -> None:
    found = modules(built)
    wanted = {name for name in sys.stdlib_module_names - LEFT_OUT if find_spec(name) is not None}
    wanted -= {"_frozen_importlib", "_frozen_importlib_external"}  # in the interpreter itself
    assert wanted - found - base_library(built) == set()


def base_library(built: Path) -> set[str]:
    """What is needed before modules can be read from the archive, and has one of its own."""
    content = CArchiveReader(str(built)).extract("base_library.zip")
    return {Path(name).parts[0].split(".")[0] for name in zipfile.ZipFile(io.BytesIO(content)).namelist()}


def test_libvirt_is_the_machines_own(built: Path) -> None:
    """The library must fit the libvirtd that it talks to; only the binding to it is carried."""
    names = {Path(name).name for name in CArchiveReader(str(built)).toc}
    assert any(name.startswith("libvirtmod.") for name in names)
    assert not {name for name in names if name.startswith(("libvirt.so", "libglib", "libgnutls", "libxml2"))}


def test_files_are_carried(built: Path) -> None:
    names = set(CArchiveReader(str(built)).toc)
    for folder in ("webui", "agents/ansible", "docs"):
        for path in (ROOT / folder).rglob("*"):
            wanted = path.is_file() and not {"node_modules", "__pycache__"} & set(path.parts)
            if wanted and path.suffix not in (".py", ".pyc"):
                assert str(path.relative_to(ROOT)) in names


def test_size_stays_within_the_budget(built: Path) -> None:
    found = sizes(built)
    assert sum(found.values()) == built.stat().st_size < BUDGET
    assert found["images/tiny.qcow2"] == (ROOT / ".cache" / "images" / "tiny.qcow2").stat().st_size
