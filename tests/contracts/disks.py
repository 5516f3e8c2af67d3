"""Small disk images for tests, made and read without waiting for the loop."""

from __future__ import annotations

import hashlib
import json
import stat
import subprocess
from pathlib import Path
from typing import Any


def create_qcow2(file: Path, size: int | str, *options: str) -> Path:
    """Have qemu-img make an image."""
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *options, file, str(size)], check=True)
    return file


def describe_qcow2(file: str) -> dict[str, Any]:
    """What qemu-img says of an image."""
    argv = ["qemu-img", "info", "-f", "qcow2", "--output=json", file]
    said: dict[str, Any] = json.loads(subprocess.run(argv, check=True, capture_output=True).stdout)
    return said


def content(file: str) -> bytes:
    """All of a file, named by its path or its ``file:`` URL."""
    return Path(file.removeprefix("file://")).read_bytes()


def sha256(file: str | Path) -> str:
    """Of a file's content."""
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def mode(path: str | Path) -> int:
    """Permission bits."""
    return stat.S_IMODE(Path(path).stat().st_mode)


def sizes(file: str | Path) -> tuple[int, int]:
    """Length, and bytes taken."""
    found = Path(file).stat()
    return found.st_size, found.st_blocks * 512
