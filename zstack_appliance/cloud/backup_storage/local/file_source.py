"""Opening a local image so that no link leads anywhere else."""

from __future__ import annotations

import os
import stat
from pathlib import PurePosixPath
from typing import BinaryIO

from zstack_appliance.cloud.backup_storage.local.source import FileSource
from zstack_appliance.kernel.remote import HostCommandFailed


def open_source(source: FileSource) -> BinaryIO:
    """Open a regular file, stepping through its path one component at a time and following no link; blocks.

    The check and the use are one: each component is opened relative to the one before it, so nothing that
    is renamed or linked meanwhile can redirect the path.

    Raises:
        HostCommandFailed: a component is missing, a link or no directory, or the end is no regular file.
    """
    steps = (*source.directory.parts[1:], *source.names)
    shown = str(PurePosixPath("/", *steps))
    at = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in steps[:-1]:
            inner = _step(name, os.O_DIRECTORY, at, shown)
            os.close(at)
            at = inner
        # Without O_NONBLOCK, opening a named pipe would wait for its writer for ever.
        fd = _step(steps[-1], os.O_NONBLOCK, at, shown)
    finally:
        os.close(at)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise HostCommandFailed(f"{shown} is not a regular file")
    return os.fdopen(fd, "rb", buffering=0)


def _step(name: str, kind: int, inside: int, shown: str) -> int:
    try:
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | kind, dir_fd=inside)
    except OSError as error:
        if _is_link(name, inside):
            raise HostCommandFailed(
                f"{shown} is refused: {name!r} in it is a symbolic link; give the path that it stands for"
            ) from error
        raise HostCommandFailed(f"cannot open {shown}: {error.strerror} at {name!r}") from error


def _is_link(name: str, inside: int) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=inside, follow_symlinks=False).st_mode)
    except OSError:
        return False
