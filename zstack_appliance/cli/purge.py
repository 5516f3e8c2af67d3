"""``purge``: remove an appliance from this machine."""

from __future__ import annotations

from pathlib import Path

import click

from zstack_appliance.cli.exits import CliError


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The data folder; its appliance must be stopped.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(data: Path, *, yes: bool) -> None:
    """Remove the VMs of the appliance in --data, what it made in this machine's network, and the folder itself.

    Settings of the machine are put back as they were. A second run finds nothing to do.
    """
    import trio

    from zstack_appliance.kernel.errors import CloudError
    from zstack_appliance.kernel.remote import HostCommandFailed, HostUnreachable
    from zstack_appliance.purge import purge as remove

    if data.exists() and not yes:
        click.confirm(f"Remove every VM, disk and image of {data.resolve()} for ever?", abort=True)
    try:
        done = trio.run(remove, data)
    except (CloudError, HostCommandFailed, HostUnreachable, OSError) as error:
        raise CliError(str(error)) from error
    for line in done or [f"there is no {data}; nothing to do"]:
        click.echo(line)
