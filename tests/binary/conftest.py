"""The one file, as ``make binary`` makes it."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
BINARY = ROOT / "dist" / "zstack-appliance"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def built() -> Path:
    """The program; `make test` has it built before the first test."""
    assert BINARY.is_file(), "run `make binary` first"
    return BINARY


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A TMPDIR of the test's own, where a one-file program unpacks itself; nothing may be left in it."""
    with tempfile.TemporaryDirectory(prefix="zs-binary-") as folder:
        yield Path(folder)


@pytest.fixture
def binary(built: Path, scratch: Path, tmp_path: Path) -> Run:
    """Run the program from a strange folder, with an almost empty environment."""

    def run(*argv: str) -> subprocess.CompletedProcess[str]:
        environment = {"TMPDIR": str(scratch), "XDG_STATE_HOME": str(tmp_path)}
        return subprocess.run(
            [built, *argv], capture_output=True, text=True, check=False, timeout=60, cwd="/", env=environment
        )

    return run
