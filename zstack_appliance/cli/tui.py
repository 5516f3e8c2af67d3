"""``tui``: the terminal dashboard."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from zstack_appliance.cli.exits import usage
from zstack_appliance.cli.place import choose


@click.command()
@click.option("--url", metavar="URL", help="The appliance; by default the one logged in to, or here.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Data folder of an appliance on this machine; root needs no login there.",
)
def tui(url: str | None, data: Path | None) -> None:
    """Watch and run the cloud in the terminal, live. Press ? in it for the keys."""
    from zstack_appliance.tui.app import Tui

    if not sys.stdout.isatty():
        raise usage("the dashboard wants a terminal; in scripts use the other commands with --json")
    app = Tui(choose(url, data, os.environ))
    app.run()
    raise SystemExit(app.return_code or 0)
