"""A one-file program is two processes: a boot loader that unpacks, waits and cleans up, and its child, which is us.

Primitive: `as_one_process` makes the two end together, and hear a signal once.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from installer.archive import CONTENTS

_PR_SET_PDEATHSIG = 1


@contextmanager
def as_one_process() -> Iterator[None]:
    """End with the boot loader while the block runs, in the order of SIGTERM; elsewhere do nothing.

    The boot loader passes on every signal that it gets. At a terminal the child would hear of Ctrl-C twice, and
    the second time means haste, so it leaves the terminal's process group. If the boot loader has been killed,
    nobody else removes what it unpacked.
    """
    unpacked = _unpacked()
    if unpacked is None:
        yield
        return
    boot_loader = os.getppid()
    os.setpgid(0, 0)
    # In the main thread, and the boot loader has but one: the setting follows threads.
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    try:
        yield
    finally:
        if os.getppid() != boot_loader:
            shutil.rmtree(unpacked, ignore_errors=True)


def _unpacked() -> Path | None:
    """Where the boot loader unpacked us; None in the tree, and where an installed program runs."""
    if not getattr(sys, "frozen", False):
        return None
    unpacked = Path(getattr(sys, "_MEIPASS", "/")).resolve()
    return None if unpacked == Path(sys.executable).resolve().parent / CONTENTS else unpacked
