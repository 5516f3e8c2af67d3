"""The command line's root. Heavy imports stay inside the commands, so that ``--help`` is quick."""

from __future__ import annotations

from pathlib import Path

import click

from zstack_appliance.cli.root import Root
from zstack_appliance.version import VERSION


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION)
def main() -> None:
    """ZStack's cloud in one file: KVM virtual machines, networks and images on one Linux server."""


def _serving(command: click.decorators.FC) -> click.decorators.FC:
    """The options that ``up`` and ``simulate`` share."""
    for option in reversed(
        (
            click.option(
                "--data",
                type=click.Path(path_type=Path, file_okay=False),
                default=Path("/var/lib/zstack-appliance"),
                show_default=True,
                help="The data folder.",
            ),
            click.option(
                "--listen",
                default=("127.0.0.1:8080",),
                show_default=True,
                multiple=True,
                metavar="HOST:PORT",
                help="May be repeated; https://HOST:PORT serves TLS.",
            ),
            click.option(
                "--admin-password",
                envvar="ZSTACK_ADMIN_PASSWORD",
                metavar="PW",
                help="Counts at the first start only; by default one is drawn.",
            ),
            click.option(
                "--accel",
                type=click.Choice(["auto", "kvm", "tcg"]),
                default="auto",
                show_default=True,
                help="What guests run under.",
            ),
            click.option("--first-vm", is_flag=True, help="Have a first VM, and wait until it answers."),
            click.option("--no-ui", is_flag=True, help="Serve the API alone."),
            click.option("--insecure-http", is_flag=True, help="Allow plain HTTP where others can listen in."),
            click.option("-v", "--verbose", is_flag=True, help="Log more."),
        )
    ):
        command = option(command)
    return command


@main.command()
@_serving
def up(**options: object) -> None:
    """Bring the cloud up on this machine, in the foreground. Ctrl-C stops it, never the VMs."""
    _serve(options, simulation=None)


@main.command()
@_serving
@click.option("--hosts", type=click.IntRange(1, 10_000), default=100, show_default=True)
@click.option("--latency", type=click.FloatRange(0), default=0.0, metavar="SECONDS", help="Of each host's answer.")
@click.option("--fault-rate", type=click.FloatRange(0, 1), default=0.0, metavar="P", help="Commands that fail.")
@click.option("--seed", type=int, default=0, metavar="N", help="Of the faults' dice.")
def simulate(hosts: int, latency: float, fault_rate: float, seed: int, **options: object) -> None:
    """Bring up a cloud of hosts in memory, for trying the API and for measuring."""
    from zstack_appliance.serve import Simulation

    _serve(options, Simulation(hosts=hosts, latency=latency, fault_rate=fault_rate, seed=seed))


def _serve(options: dict[str, object], simulation: object) -> None:
    from zstack_appliance.cloud.host.driver import AcceleratorChoice
    from zstack_appliance.doorway import parse
    from zstack_appliance.serve import Settings, Simulation, log_to_stderr, serve

    texts = options["listen"]
    assert isinstance(texts, tuple)
    try:
        listen = tuple(parse(text) for text in texts)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--listen") from error
    assert simulation is None or isinstance(simulation, Simulation)
    data, password = options["data"], options["admin_password"]
    assert isinstance(data, Path)
    log_to_stderr(verbose=bool(options["verbose"]))
    settings = Settings(
        data=data,
        listen=listen,
        password=str(password) if password else None,
        accelerator=AcceleratorChoice(str(options["accel"])),
        first_vm=bool(options["first_vm"]),
        ui=not options["no_ui"],
        insecure_http=bool(options["insecure_http"]),
        simulation=simulation,
    )
    raise SystemExit(serve(settings))


if __name__ == "__main__":
    main()
