"""One process per data folder: `locked`."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zstack_appliance.kernel.errors import Conflict


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file at `path`. The kernel lets go of it when the process ends, however it ends.

    Raises:
        Conflict: another process holds it.
    """
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise Conflict(
                f"the data folder {path.parent} is in use by process {holder};"
                " stop that one first, or choose another --data folder"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
        # The file stays: removing it would let two processes lock two files of one name.
        file.truncate(0)
