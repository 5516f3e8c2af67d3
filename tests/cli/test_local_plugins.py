"""Which data folder's plugins the command line knows."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from zstack_appliance.cli import local_plugins
from zstack_appliance.cli.local_plugins import keep_data, local_data, per_folder


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with plugins; the working directory has none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ZSTACK_APPLIANCE_DATA", raising=False)
    monkeypatch.setattr(local_plugins, "DATA_FOLDERS", (Path(".data"),))
    (tmp_path / "here" / "plugins").mkdir(parents=True)
    return tmp_path / "here"


@pytest.mark.parametrize("words", [["--data", "{}"], ["zone", "list", "--data={}"]])
def test_the_one_that_is_named(words: list[str], data: Path) -> None:
    with click.Context(click.Command("any")) as ctx:
        keep_data(ctx, [word.format(data) for word in words])
        assert local_data() == data
        with click.Context(click.Command("inner"), parent=ctx):
            assert local_data() == data


@pytest.mark.parametrize("words", [["--data"], ["--data", "/nothing/here"], ["--data-of-mine", "x"]])
def test_one_without_plugins_is_as_good_as_none(words: list[str], data: Path) -> None:
    with click.Context(click.Command("any")) as ctx:
        keep_data(ctx, words)
        assert local_data() is None


def test_the_environment_and_the_working_directory(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert local_data() is None
    data.rename(data.with_name(".data"))
    assert local_data() == Path(".data")
    (data / "plugins").mkdir(parents=True)
    monkeypatch.setenv("ZSTACK_APPLIANCE_DATA", str(data))
    assert local_data() == data


def test_what_follows_from_a_folder_is_made_once_for_each(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path | None] = []

    def make() -> int:
        made.append(local_data())
        return len(made)

    remembered = per_folder(make)
    assert (remembered(), remembered()) == (1, 1)
    monkeypatch.setenv("ZSTACK_APPLIANCE_DATA", str(data))
    assert (remembered(), remembered()) == (2, 2)
    assert made == [None, data]
