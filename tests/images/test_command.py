"""The door to other programs: clean surroundings, and errors that say what to do."""

from __future__ import annotations

import pytest

from images.command import EPOCH, CommandError, run


def test_a_missing_program_is_named_with_a_way_to_get_it() -> None:
    with pytest.raises(CommandError, match=r"absent-tool is not installed; apt-get install absent-tool"):
        run("absent-tool")


def test_a_failure_has_the_program_s_own_words() -> None:
    with pytest.raises(CommandError, match=r"ended with 2: .*cannot access"):
        run("ls", "/absent")


def test_the_environment_is_the_same_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "tlh_KX.UTF-8")
    monkeypatch.setenv("MTOOLSRC", "/somewhere")
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    seen = dict(line.split("=", 1) for line in run("env").stdout.decode().splitlines())
    assert seen["SOURCE_DATE_EPOCH"] == str(EPOCH)
    assert seen["MTOOLSRC"] == "/dev/null"
    assert seen["https_proxy"] == "http://proxy:3128"
    assert "LANG" not in seen


def test_a_program_reads_its_standard_input() -> None:
    assert run("cat", stdin=b"abc").stdout == b"abc"
