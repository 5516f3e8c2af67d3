"""Which appliance a command talks to, and as whom: `Place`, `choose`, and the options that say so."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from zstack_appliance.cli.exits import usage
from zstack_appliance.cli.session import read_session, session_file

DEFAULT_URL = "http://127.0.0.1:8080"
DATA_FOLDERS = (Path("/var/lib/zstack-appliance"), Path(".data"))
"""Where an appliance of this machine may live: the installed one, and the one that ``make run`` starts."""

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Place:
    """An appliance as it is reached.

    Args:
        url: ``http://HOST:PORT``, without a path.
        socket: the unix socket to connect to instead of the URL's address.
        session: whose rights to use; None relies on the socket, which knows who connects.
    """

    url: str
    socket: Path | None = None
    session: str | None = None


def choose(url: str | None, data: Path | None, environment: Mapping[str, str]) -> Place:
    """The appliance that is meant.

    What is given counts most; then the session that ``login`` kept; then the socket of an appliance on this
    machine, which lets root in without a login.

    Raises:
        CliError: the URL is none.
    """
    url = url or environment.get("ZSTACK_APPLIANCE_URL")
    kept = read_session(session_file(environment))
    if url is not None:
        plain = plain_url(url)
        return Place(plain, session=kept.uuid if kept is not None and kept.url == plain else None)
    named = data or environment.get("ZSTACK_APPLIANCE_DATA")
    if named:
        return Place("http://localhost", socket=Path(named) / "run" / "api.sock")
    if kept is not None:
        return Place(kept.url, session=kept.uuid)
    for folder in DATA_FOLDERS:
        door = folder / "run" / "api.sock"
        if _answers(door):
            return Place("http://localhost", socket=door)
    return Place(DEFAULT_URL)


def plain_url(url: str) -> str:
    """Scheme, host and port of a URL; a bare ``HOST:PORT`` means plain HTTP.

    Raises:
        CliError: it is no URL of an HTTP server.
    """
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise usage(f"[{url}] is no URL of an appliance; give one such as {DEFAULT_URL}")
    return f"{parts.scheme}://{parts.netloc}"


def _answers(door: Path) -> bool:
    """Whether we may connect to a socket and somebody listens there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(os.fspath(door))
        except OSError:
            return False
    return True


def client_options(command: F) -> F:
    """``--url``, ``--data`` and ``--json``, which every command that talks to the appliance takes."""
    for option in reversed(_options()):
        command = option(command)
    return command


def client_params() -> list[click.Parameter]:
    """The same options for a command that is built at run time."""

    @client_options
    def holder() -> None:
        """Carries the options until they are taken from it."""

    return list(reversed(holder.__click_params__))  # type: ignore[attr-defined]  # click's own attribute


def _options() -> tuple[Callable[[Any], Any], ...]:
    return (
        click.option("--url", metavar="URL", help="The appliance; by default the one logged in to, or here."),
        click.option(
            "--data",
            type=click.Path(path_type=Path, file_okay=False),
            help="Data folder of an appliance on this machine; root needs no login there.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts."),
    )
