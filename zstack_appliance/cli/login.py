"""``login`` and ``logout``: the session of one user of this machine."""

from __future__ import annotations

import os
from pathlib import Path

import click

from zstack_appliance.cli.client import Client, checked
from zstack_appliance.cli.exits import CliError, Exit
from zstack_appliance.cli.place import DEFAULT_URL, Place, choose, plain_url
from zstack_appliance.cli.session import KeptSession, forget_session, read_session, session_file, write_session
from zstack_appliance.cli.values import sha512


@click.command()
@click.argument("name", default="admin")
@click.option(
    "--password",
    envvar="ZSTACK_ADMIN_PASSWORD",
    prompt=True,
    hide_input=True,
    help="Asked for when it is not given; ZSTACK_ADMIN_PASSWORD may hold it.",
)
@click.option("--url", default=DEFAULT_URL, envvar="ZSTACK_APPLIANCE_URL", show_default=True, metavar="URL")
def login(name: str, password: str, url: str) -> None:
    """Open a session as the account NAME (admin), and keep it for this user's later commands.

    Root needs no login to the appliance of its own machine.
    """
    place = Place(plain_url(url))
    uuid = open_session(place, name, password)
    write_session(session_file(os.environ), KeptSession(url=place.url, uuid=uuid, account=name))
    click.echo(f"logged in to {place.url} as {name}")


@click.command()
def logout() -> None:
    """End the session that login kept, here and at the appliance."""
    file = session_file(os.environ)
    kept = read_session(file)
    if kept is None:
        click.echo("not logged in")
        return
    forget_session(file)
    checked(Client(Place(kept.url)).send("DELETE", f"/accounts/sessions/{kept.uuid}"))
    click.echo(f"logged out of {kept.url}")


def open_session(place: Place, name: str, password: str) -> str:
    """The uuid of a new session.

    Raises:
        CliError: the account does not exist, or its password is another.
    """
    body = {"logInByAccount": {"accountName": name, "password": sha512(password)}}
    answer = Client(place).send("PUT", "/accounts/login", body)
    if answer.status == 200:
        return str(answer.body["inventory"]["uuid"])
    error = answer.body.get("error", {}) if isinstance(answer.body, dict) else {}
    raise CliError(str(error.get("details") or "the login was refused"), Exit.FORBIDDEN)


def with_session(url: str | None, data: Path | None) -> Place:
    """The appliance that is meant, logged in to by ``ZSTACK_ADMIN_PASSWORD`` where nothing else lets us in."""
    place = choose(url, data, os.environ)
    password = os.environ.get("ZSTACK_ADMIN_PASSWORD")
    if place.session is not None or place.socket is not None or password is None:
        return place
    return Place(place.url, session=open_session(place, "admin", password))
