"""Small text files that are replaced whole: `replace_text` and `read_text`. They block for a moment."""

from __future__ import annotations

import os
from pathlib import Path


def replace_text(path: Path, text: str, *, mode: int = 0o644, durable: bool = False) -> None:
    """Give a file new content in one step: whoever reads it sees the old text or the new one, whole.

    Args:
        path: the file, in a folder that exists.
        text: what it holds from now on.
        mode: its permissions.
        durable: have it survive a power cut; without that, only the end of this process.
    """
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    part.replace(path)
    if durable:
        _sync_folder(path.parent)


def read_text(path: Path) -> str | None:
    """The content of a file; None when there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
