"""What a resource shows in its own way: `SPECIALS`, by resource and verb."""

from __future__ import annotations

import click

from zstack_appliance.cli.client import Client
from zstack_appliance.cli.declared import find_api
from zstack_appliance.cli.names import Resolver
from zstack_appliance.cli.output import Output
from zstack_appliance.cli.resource import Special
from zstack_appliance.cli.steps import sentence, steps_of
from zstack_appliance.kernel.schema import Record


def _console(client: Client, output: Output, noun: type[Record], name: str) -> None:
    uuid = Resolver(client).uuid(noun, name)
    reply = client.call(find_api("GetVmConsoleAddress"), {"uuid": uuid})
    if output.as_json:
        output.value(reply)
    else:
        output.line(f"{reply['protocol'].lower()}://{reply['hostIp']}:{reply['port']}")


def _serial(client: Client, output: Output, noun: type[Record], name: str) -> None:
    from zstack_appliance.cli.terminal import attach

    uuid = Resolver(client).uuid(noun, name)
    click.echo(f"connected with {name}; Control-] leaves, and a key may be needed to see a prompt", err=True)
    output.line(f"\n{attach(client, uuid)}")


def _job(client: Client, output: Output, noun: type[Record], name: str) -> None:
    row = Resolver(client).row(noun, name)
    steps = steps_of(client, row["uuid"])
    if output.as_json:
        output.value({**row, "steps": steps})
        return
    output.inventory(row)
    for step in steps:
        undone = f", undo {step['undo']}" if step.get("undo") not in (None, "none") else ""
        output.line(f"  {sentence(step)}{undone}")


SPECIALS: dict[str, dict[str, tuple[str, Special]]] = {
    "vm-instance": {
        "console": ("Print where the VM's display is served, seen from its host.", _console),
        "serial": ("Connect this terminal with the VM's serial port; Control-] leaves.", _serial),
    },
    "job": {"show": ("Show one job, with every step that it has begun.", _job)},
}
