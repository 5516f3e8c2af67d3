"""Where the tiny image is found: in the tree, beside an installed program, inside a one-file program."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from zstack_appliance.assets import tiny_image
from zstack_appliance.kernel.errors import NotFound


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This process passes for a packed one, whose file is this path."""
    path = tmp_path / "opt" / "zstack-appliance"
    path.parent.mkdir()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(path))
    return path


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """The data folder's place for images."""
    folder = tmp_path / "images"
    folder.mkdir()
    return folder


def test_in_the_tree_nothing_is_copied(images: Path) -> None:
    assert tiny_image(images).name == "tiny.qcow2"
    assert list(images.iterdir()) == []


def test_an_installed_program_has_it_beside_itself(program: Path, images: Path) -> None:
    beside = program.parent / "images" / "tiny.qcow2"
    beside.parent.mkdir()
    beside.write_bytes(b"image")
    assert tiny_image(images) == beside
    assert list(images.iterdir()) == []


def test_a_one_file_program_carries_it(program: Path, images: Path) -> None:
    program.write_bytes(b"loader")
    with zipfile.ZipFile(program, "a") as files:
        files.writestr("images/tiny.qcow2", b"image")
    for _ in range(2):
        assert tiny_image(images) == images / "tiny.qcow2"
        assert [path.read_bytes() for path in images.iterdir()] == [b"image"]


def test_a_program_without_it_says_so(program: Path, images: Path) -> None:
    program.write_bytes(b"loader")
    with pytest.raises(NotFound, match="get the program again"):
        tiny_image(images)
    with zipfile.ZipFile(program, "a") as files:
        files.writestr("images/other.qcow2", b"image")
    with pytest.raises(NotFound, match="get the program again"):
        tiny_image(images)
