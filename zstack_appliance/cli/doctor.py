"""``doctor``: what is wrong with this machine, and what on its hosts the records do not account for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from zstack_appliance.cli.exits import CliError, Exit, usage
from zstack_appliance.cli.output import Output
from zstack_appliance.cli.place import DATA_FOLDERS, client_options
from zstack_appliance.cli.resource import reach


@click.command()
@click.option("--orphans", is_flag=True, help="Compare hosts with the records instead; the appliance must run.")
@click.option("--listen", default="127.0.0.1:8080", show_default=True, metavar="HOST:PORT", help="Where it listens.")
@client_options
def doctor(listen: str, *, orphans: bool, **options: Any) -> None:
    """Look for what is wrong on this machine, and say how it is mended.

    With --orphans: what carries this appliance's mark on a host without any record of it, and what records
    want and no host has; [] in JSON when both agree.

    \b
    The exit status is 1 when something is wrong.
    """
    if orphans:
        _orphans(**options)
        return
    from zstack_appliance.doctor import Patient, examine

    data = options["data"] or os.environ.get("ZSTACK_APPLIANCE_DATA")
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit():
        raise usage("give --listen as HOST:PORT, such as 127.0.0.1:8080")
    findings = examine(Patient(data=_folder(data), listen=(host.strip("[]"), int(port))))
    output = Output(as_json=bool(options["as_json"]))
    if output.as_json:
        output.value(findings)
    else:
        rows = [(found.state, found.check, found.text) for found in findings]
        output.table(("", "check", "found"), rows)
        for found in findings:
            if found.mend:
                output.line(f"{found.check}: {found.mend}")
    if any(found.state == "wrong" for found in findings):
        raise SystemExit(Exit.FAILED)


def _folder(data: str | Path | None) -> Path:
    if data is not None:
        return Path(data).resolve()
    return next((folder.resolve() for folder in DATA_FOLDERS if folder.exists()), DATA_FOLDERS[0])


def _orphans(**options: Any) -> None:
    from zstack_appliance.cli.declared import find_api

    client, output = reach(options)
    rows = client.call(find_api("ListOrphans"), {})["orphans"]
    if output.as_json:
        output.value(rows)
    elif rows:
        columns = ("kind", "name", "problem")
        output.table(columns, [tuple(row[column] for column in columns) for row in rows])
    else:
        output.line("hosts and records agree")
    if rows and not output.as_json:
        raise CliError(f"{len(rows)} differences; an orphan is removed by hand, what is missing by deleting its record")
    if rows:
        raise SystemExit(Exit.FAILED)
