"""Which appliance is meant."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from zstack_appliance.cli.exits import CliError
from zstack_appliance.cli.place import Place, choose, plain_url
from zstack_appliance.cli.session import KeptSession, session_file, write_session


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("zstack_appliance.cli.place.DATA_FOLDERS", (Path(".data"),))
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


def log_in(environment: dict[str, str], url: str) -> None:
    write_session(session_file(environment), KeptSession(url=url, uuid="s", account="admin"))


def test_without_anything_it_is_the_default_address(environment: dict[str, str]) -> None:
    assert choose(None, None, environment) == Place("http://127.0.0.1:8080")


def test_a_kept_session_says_where_and_who(environment: dict[str, str]) -> None:
    log_in(environment, "http://there:1")
    assert choose(None, None, environment) == Place("http://there:1", session="s")
    assert choose("there:1", None, environment) == Place("http://there:1", session="s")
    assert choose("http://elsewhere:1", None, environment) == Place("http://elsewhere:1")


def test_a_data_folder_counts_more_than_a_session_and_a_url_more_than_both(
    environment: dict[str, str], tmp_path: Path
) -> None:
    log_in(environment, "http://there:1")
    there = Place("http://localhost", socket=tmp_path / "run" / "api.sock")
    assert choose(None, tmp_path, environment) == there
    assert choose(None, None, {**environment, "ZSTACK_APPLIANCE_DATA": str(tmp_path)}) == there
    assert choose("there:1", tmp_path, environment) == Place("http://there:1", session="s")


def test_an_appliance_that_answers_here_is_found(environment: dict[str, str], tmp_path: Path) -> None:
    door = tmp_path / ".data" / "run" / "api.sock"
    door.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(door))
        listener.listen()
        assert choose(None, None, environment).socket == Path(".data/run/api.sock")
    assert choose(None, None, environment) == Place("http://127.0.0.1:8080")


@pytest.mark.parametrize(
    ("text", "url"), [("h:80", "http://h:80"), ("https://h/zstack/v1", "https://h"), ("http://h:1/", "http://h:1")]
)
def test_urls(text: str, url: str) -> None:
    assert plain_url(text) == url


@pytest.mark.parametrize("text", ["ftp://h", "http://", ""])
def test_what_is_no_url(text: str) -> None:
    with pytest.raises(CliError):
        plain_url(text)
