"""The prompt's own decisions; `test_completion` sees it at a terminal."""

from __future__ import annotations

import io
import readline
from pathlib import Path

import pytest

from zstack_appliance.__main__ import main
from zstack_appliance.cli.output import Output
from zstack_appliance.cli.place import Place
from zstack_appliance.cli.prompt import Prompt, in_columns
from zstack_appliance.cli.shell import Shell


def prompt(out: io.StringIO) -> Prompt:
    return Prompt(Shell(main, Place("http://127.0.0.1:1"), Output(out=out)), main, out)


def test_words_stand_in_columns_that_fit() -> None:
    assert list(in_columns(["a", "bbb", "cc"], 10)) == ["a    bbb", "cc"]
    assert list(in_columns(["longer than the line"], 5)) == ["longer than the line"]


def test_edges_stand_apart_from_what_ends_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readline, "get_line_buffer", lambda: "QueryVmInstance vmNics.")
    out = io.StringIO()
    prompt(out).display("", ["vmNics.ip=", "vmNics.l3Network."], 9)
    assert "[Query Conditions:]\nvmNics.l3Network.\n\nvmNics.ip=\n" in out.getvalue()


def test_what_readline_replaces_is_the_word_behind_the_last_space(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "QueryVmInstance 'vmNics.ip is n"
    monkeypatch.setattr(readline, "get_line_buffer", lambda: line)
    monkeypatch.setattr(readline, "get_endidx", lambda: len(line))
    assert prompt(io.StringIO()).complete("n", 0) is None
    line = "CreateZone na"
    monkeypatch.setattr(readline, "get_endidx", lambda: len("CreateZone na"))
    asked = prompt(io.StringIO())
    assert (asked.complete("na", 0), asked.complete("na", 1)) == ("name=", None)


def test_the_history_keeps_no_password(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    lines = iter(["help", "LogInByAccount accountName=admin password=secret", "exit"])
    monkeypatch.setattr("builtins.input", lambda _prompt: next(lines))
    readline.clear_history()
    prompt(io.StringIO()).run()
    kept = (tmp_path / "zstack-appliance" / "history").read_text()
    assert "help" in kept
    assert "secret" not in kept
