"""The one door to other programs: argument lists, a cleaned environment, errors that say what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

EPOCH = 1_672_531_200
"""2023-01-01 00:00 UTC: the time of everything in an image, so that a build can be repeated bit for bit."""

_PACKAGE_OF = {
    "debugfs": "e2fsprogs",
    "e2fsck": "e2fsprogs",
    "mcopy": "mtools",
    "mke2fs": "e2fsprogs",
    "mkfs.fat": "dosfstools",
    "qemu-img": "qemu-utils",
    "sfdisk": "fdisk",
    "syslinux": "syslinux",
}


class CommandError(RuntimeError):
    """A program is missing or failed; the text has its own words."""


def run(*argv: str | Path, stdin: bytes = b"", cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end.

    Args:
        argv: the program's name and its arguments.
        stdin: what it reads on standard input.
        cwd: the folder it runs in.

    Raises:
        CommandError: it is not installed, or it ended with an error.
    """
    name = str(argv[0])
    path = search_path()
    if shutil.which(name, path=path) is None:
        raise CommandError(f"{name} is not installed; apt-get install {_PACKAGE_OF.get(name, name)}")
    words: Sequence[str] = [str(word) for word in argv]
    done = subprocess.run(words, input=stdin, capture_output=True, cwd=cwd, env=_environment(path), check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
        raise CommandError(f"{' '.join(words[:4])} … ended with {done.returncode}: {said}")
    return done


def search_path() -> str:
    """PATH with the folders of system tools, which an ordinary user's lacks."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


def _environment(path: str) -> dict[str, str]:
    return {
        "PATH": path,
        "LC_ALL": "C",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": str(EPOCH),
        "E2FSPROGS_FAKE_TIME": str(EPOCH),
        "MTOOLSRC": "/dev/null",
        # A proxy, if the machine needs one for downloads.
        **{key: value for key, value in os.environ.items() if key.lower().endswith("_proxy")},
    }
