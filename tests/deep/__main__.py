"""Install the appliance on a fresh Debian machine and use it there: ``make test-deep``, as root.

Prints every part with its time; ends with 1 at the first that fails. The machine's disk is made once, below
``.cache/deep``; everything else is gone at the end.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from tests.deep.base import Base, have_base
from tests.deep.machine import DeepFailure, booted
from tests.deep.run import BINARY, PARTS, ROOT

T = TypeVar("T")


def main() -> int:
    """Run every part; the exit status."""
    began = time.monotonic()
    if not BINARY.is_file():
        print("there is no one-file program: run `make binary`")
        return 1
    try:
        base = _told("base", "the disk of a fresh Debian 12", lambda: have_base(ROOT / ".cache" / "deep"))
        _all_parts(base)
    except DeepFailure as failure:
        print(f"FAILED  {failure}", flush=True)
        return 1
    print(f"{time.monotonic() - began:7.1f} s  in all")
    return 0


def _all_parts(base: Base) -> None:
    start = time.monotonic()
    with booted(base) as machine:
        print(f"{time.monotonic() - start:7.1f} s  boot: its SSH answers", flush=True)
        for part in PARTS:
            said = _told(part.__name__, (part.__doc__ or "").splitlines()[0], partial(part, machine))
            print(f"           {said}", flush=True)


def _told(name: str, text: str, do: Callable[[], T]) -> T:
    start = time.monotonic()
    done = do()
    print(f"{time.monotonic() - start:7.1f} s  {name}: {text}", flush=True)
    return done


if __name__ == "__main__":
    sys.exit(main())
