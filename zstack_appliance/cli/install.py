"""``install`` and ``uninstall``: put the appliance onto this machine for good, and take it away again."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zstack_appliance.cli.exits import CliError, Exit, usage

if TYPE_CHECKING:
    from installer.facts import Facts
    from installer.layout import Wish
    from installer.step import Step

DATA = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("/var/lib/zstack-appliance"),
    show_default=True,
    help="The data folder.",
)
DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing.")


@click.command()
@DATA
@click.option(
    "--listen",
    multiple=True,
    default=("127.0.0.1:8080", "https://0.0.0.0:8443"),
    show_default=True,
    metavar="HOST:PORT",
    help="May be repeated.",
)
@click.option(
    "--program",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The one-file program; by default the one that runs.",
)
@DRY_RUN
def install(data: Path, listen: tuple[str, ...], program: Path | None, *, dry_run: bool) -> None:
    """Install the appliance on this machine, as a service that starts with it.

    What is in the way is said before anything is changed. Interrupted, a second run finishes the work; run
    again with a newer program, it updates, and VMs go on meanwhile. The machine's own network is not touched.
    """
    import trio

    from installer.layout import Wish
    from zstack_appliance.api.listen import CannotListen
    from zstack_appliance.doorway import parse, refuse_open_http
    from zstack_appliance.version import VERSION

    try:
        doors = tuple(parse(text) for text in listen)
        refuse_open_http(doors)
    except (ValueError, CannotListen) as error:
        raise usage(f"--listen: {error}") from error
    wish = Wish(program=(program or _this_program()).resolve(), version=VERSION, data=data.absolute(), doors=doors)
    trio.run(_install, wish, dry_run)


def _this_program() -> Path:
    """The one file that runs; an installed program has its source no more."""
    program = Path(sys.executable)
    if not getattr(sys, "frozen", False) or (program.resolve().parent / "source").exists():
        raise usage("this is not the one-file program: run 'install' of that, or name it by --program")
    return program


async def _install(wish: Wish, dry_run: bool) -> None:
    from installer.archive import NotOurProgram
    from installer.facts import look, wanted
    from installer.install import steps
    from installer.layout import HERE
    from installer.machine import AnotherRun, Machine, alone
    from installer.objections import objections
    from installer.step import carry_out, plan
    from zstack_appliance.kernel.errors import CloudError
    from zstack_appliance.kernel.remote import HostCommandFailed

    began = time.monotonic()
    machine = Machine(is_root=os.geteuid() == 0)
    packages = wanted((HERE / "packages.txt").read_text())
    facts = await look(machine, data=wish.data, doors=wish.doors, packages=packages)
    found = objections(facts)
    for objection in found:
        click.echo(f"{'STOP' if objection.stops else 'note'}  {objection.text}")
    todo = steps(wish, machine, packages)
    _show(facts, await plan(todo))
    if any(objection.stops for objection in found):
        raise CliError("nothing was changed; mend what is marked STOP and run this again")
    if dry_run:
        click.echo("nothing was changed")
        return
    try:
        with alone(machine):
            await carry_out(todo, click.echo)
    except (HostCommandFailed, CloudError, NotOurProgram, AnotherRun, OSError) as error:
        raise CliError(f"{error}\nWhat has been done stays; run this again once that is mended.") from error
    _welcome(wish, time.monotonic() - began)


def _show(facts: Facts, planned: Sequence[tuple[Step, bool]]) -> None:
    """The plan, as far as it can be known."""
    if facts.subnets is not None:
        public, private = facts.subnets
        click.echo(f"networks: public1 will be {public}, net1 {private}; this machine has no route to either")
    for name in facts.firewalls:
        if name != "firewalld":
            click.echo(f"{name}: the appliance will add rules for its own bridges to it, and take them back at the end")
    if facts.missing:
        click.echo(f"apt will install {', '.join(facts.missing)}, and what they need")
    _list(planned)


def _list(planned: Sequence[tuple[Step, bool]]) -> None:
    for number, (step, done) in enumerate(planned, start=1):
        click.echo(f"{number}. {step.text}{' (nothing to do)' if done else ''}")


def _welcome(wish: Wish, seconds: float) -> None:
    from zstack_appliance.doorway import most_public
    from zstack_appliance.surroundings import own_address

    click.echo(f"installed in {seconds:.0f} s")
    public = wish.doors[most_public(wish.doors)]
    click.echo(f"open      {replace(public, host=public.host_for_others(own_address()))}/")
    if public.tls:
        click.echo(f"trust     {wish.data}/tls/ca.crt, the authority of its certificate")
    secret = wish.data / "admin-password"
    if sys.stdout.isatty() and secret.exists():
        click.echo(f"log in    admin, {secret.read_text().strip()}")
    else:
        click.echo(f"log in    admin, with the password in {secret}")
    click.echo("look      zstack-appliance vm list; zstack-appliance doctor; journalctl -u zstack-appliance")


@click.command()
@DATA
@click.option("--purge", is_flag=True, help="Remove the data, all VMs and their disks as well.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@DRY_RUN
def uninstall(data: Path, *, purge: bool, yes: bool, dry_run: bool) -> None:
    """Remove the appliance from this machine. Its data stays, and its VMs go on, unless --purge is given.

    Debian packages stay: other programs may use them by now. A second run finishes what was interrupted.
    """
    import trio

    if os.geteuid() != 0:
        raise CliError("you are not root: run it with sudo", status=Exit.FAILED)
    if purge and not yes and not dry_run:
        click.confirm(f"Remove every VM, disk and image of {data} for ever?", abort=True)
    trio.run(_uninstall, data.absolute(), purge, dry_run)


async def _uninstall(data: Path, purge: bool, dry_run: bool) -> None:
    import trio

    from installer.machine import AnotherRun, Machine, alone
    from installer.step import carry_out, plan
    from installer.uninstall import steps
    from zstack_appliance.kernel.errors import CloudError
    from zstack_appliance.kernel.remote import HostCommandFailed, HostUnreachable
    from zstack_appliance.purge import purge as remove

    machine = Machine()
    todo = steps(machine, data, purge=remove if purge else None)
    if dry_run:
        _list(await plan(todo))
        click.echo("nothing was changed")
        return
    try:
        with alone(machine):
            needed = await carry_out(todo, click.echo)
    except (HostCommandFailed, HostUnreachable, CloudError, AnotherRun, OSError) as error:
        raise CliError(f"{error}\nRun this again once that is mended.") from error
    if not needed:
        click.echo("nothing was installed")
    elif not purge and await trio.Path(data).exists():
        click.echo(f"{data} stays; 'uninstall --purge' removes it, a new 'install' finds the cloud in it")
