"""The script for those who have only a URL: which program it runs, with what, and what it refuses to run."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from installer.layout import HERE

SCRIPT = HERE / "install.sh"
PROGRAM = b'#!/bin/sh\necho "installing: $*"\n'
SHA = hashlib.sha256(PROGRAM).hexdigest()


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """One that says what it was asked for; not executable, as a download is."""
    path = tmp_path / "the program"
    path.write_bytes(PROGRAM)
    return path


def run(*argv: object, script: Path = SCRIPT, temporary: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TMPDIR": str(temporary or "/tmp")}
    return subprocess.run(
        ["/bin/sh", script, *map(str, argv)], capture_output=True, text=True, check=False, env=environment
    )


pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="elsewhere the script asks sudo")


def test_a_program_that_is_named(program: Path) -> None:
    done = run("--dry-run", "--program", program, "--data", "/a b")
    assert (done.returncode, done.stdout) == (0, "installing: install --dry-run --data /a b\n"), done.stderr


def test_the_program_beside_it(tmp_path: Path) -> None:
    script = tmp_path / "install.sh"
    script.write_bytes(SCRIPT.read_bytes())
    absent = run(script=script)
    assert (absent.returncode, "give --program PATH" in absent.stderr) == (1, True)
    (tmp_path / "zstack-appliance").write_bytes(PROGRAM)
    assert run(script=script).stdout == "installing: install\n"


def test_fetched_checked_and_not_left_behind(program: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    done = run("--url", program.as_uri(), "--sha256", SHA, "--dry-run", temporary=temporary)
    assert (done.returncode, done.stdout) == (0, "installing: install --dry-run\n"), done.stderr
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("sha", ["0" * 64, "nonsense"])
def test_another_program_is_not_run(program: Path, sha: str) -> None:
    for source in (("--url", program.as_uri()), ("--program", program)):
        done = run(*source, "--sha256", sha)
        assert (done.returncode, done.stdout) == (1, "")
        assert "is not the file of this sha256" in done.stderr


def test_what_is_missing_is_said(program: Path, tmp_path: Path) -> None:
    assert "--url needs --sha256" in run("--url", program.as_uri()).stderr
    assert "--sha256 needs a value" in run("--sha256").stderr
    gone = run("--url", (tmp_path / "gone").as_uri(), "--sha256", SHA)
    assert (gone.returncode, "could not be fetched" in gone.stderr) == (1, True)
