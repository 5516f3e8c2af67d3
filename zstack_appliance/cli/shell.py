"""``shell``: a prompt at which APIs are called and queries asked, with conditions offered on the way.

Primitive: `Shell`, which serves lines; `cli/prompt.py` reads them from a terminal.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from zstack_appliance.cli.client import Client
from zstack_appliance.cli.conditions import condition
from zstack_appliance.cli.declared import find_api, path_of
from zstack_appliance.cli.login import open_session
from zstack_appliance.cli.names import Resolver
from zstack_appliance.cli.output import Output
from zstack_appliance.cli.place import Place, choose
from zstack_appliance.cli.session import KeptSession, session_file, write_session
from zstack_appliance.cli.shell_lines import PAGE, Call, Command, Question, meaning
from zstack_appliance.cli.steps import watch_at_terminal
from zstack_appliance.cli.values import parse, split_pair

_HELP = """\
  QueryVmInstance vmNics.ip=10.0.0.7 state=Running   every condition must hold; TAB offers how they go on
  QueryVmInstance hostUuid=null limit=10 sortBy=name  =null and !=null ask for what is not set, or is
  CreateZone name=z                                  any API with its parameters; names stand for uuids
  LogInByAccount accountName=admin password=...      open a session for what follows
  vm list, job show ..., doctor                      any command of zstack-appliance
  exit                                               or Ctrl-D"""


@click.command()
@click.option("--url", metavar="URL", help="The appliance; by default the one logged in to, or here.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Data folder of an appliance on this machine; root needs no login there.",
)
@click.pass_context
def shell(ctx: click.Context, url: str | None, data: Path | None) -> None:
    """Call APIs and query at a prompt, or from standard input, a line each.

    At the prompt the tabulator offers APIs, parameters, names, and how a condition goes on. Lines that are
    piped in end the shell at the first that fails.
    """
    root = ctx.find_root().command
    served = Shell(root, choose(url, data, os.environ), Output())
    if not sys.stdin.isatty():
        for line in sys.stdin:
            served.serve(line)
        return
    from zstack_appliance.cli.prompt import Prompt

    Prompt(served, root).run()


class Shell:
    """Serves lines, one connection for all of them.

    Args:
        root: the command line's root, for lines that are commands.
        place: the appliance, and as whom.
        output: prints replies.
    """

    def __init__(self, root: click.Command, place: Place, output: Output) -> None:
        self._root = root
        self._output = output
        self.client = Client(place)

    def serve(self, line: str) -> None:
        """Do what a line says.

        Raises:
            CliError: it is wrong, was refused, or failed.
        """
        asked = meaning(line)
        if isinstance(asked, Question):
            self._output.value(self._answer(asked))
        elif isinstance(asked, Call):
            self._call(asked)
        elif asked is not None and asked.argv[0] == "help":
            self._output.line(_HELP)
        elif isinstance(asked, Command):
            self._command(asked)

    def _answer(self, asked: Question) -> dict[str, Any]:
        page, conditions = _paged(asked.words)
        body = self.client.query(path_of(asked.noun) or "", [condition(text) for text in conditions], **page)
        body.pop("schema", None)
        return body

    def _call(self, asked: Call) -> None:
        if asked.message is find_api("LogInByAccount"):
            self._log_in(dict(map(split_pair, asked.words)))
            return
        pairs = [split_pair(word) for word in asked.words]
        params = parse(asked.message, pairs, Resolver(self.client).uuid)
        self._output.value(self.client.call(asked.message, params, watch_at_terminal(self.client)))

    def _log_in(self, given: dict[str, str]) -> None:
        """Open a session and keep it, for this shell and for the commands in it."""
        place, account = Place(self.client.place.url), given.get("accountName", "admin")
        uuid = open_session(place, account, given.get("password", ""))
        write_session(session_file(os.environ), KeptSession(url=place.url, uuid=uuid, account=account))
        self.client = Client(Place(place.url, session=uuid))
        self._output.line(f"logged in to {place.url} as {account}")

    def _command(self, asked: Command) -> None:
        """Run a command against the appliance of this shell, unless it names another."""
        before = {key: os.environ.get(key) for key in ("ZSTACK_APPLIANCE_URL", "ZSTACK_APPLIANCE_DATA")}
        os.environ.update(_environment(self.client.place))
        try:
            self._root.main(list(asked.argv), "zstack-appliance", standalone_mode=False)
        except click.exceptions.Exit:
            pass
        finally:
            for key, value in before.items():
                if value is None:
                    os.environ.pop(key, None)
                else:
                    os.environ[key] = value


def _environment(place: Place) -> dict[str, str]:
    if place.socket is not None:
        return {"ZSTACK_APPLIANCE_DATA": str(place.socket.parent.parent)}
    return {"ZSTACK_APPLIANCE_URL": place.url}


def _paged(words: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The page that a query asks for, in REST's terms, and its conditions."""
    given, conditions = {}, []
    for word in words:
        key, _, value = word.partition("=")
        if key in PAGE:
            given[key] = value
        else:
            conditions.append(word)
    sort, direction = given.pop("sortBy", None), given.pop("sortDirection", "asc")
    if sort is not None:
        given["sort"] = f"{'-' if direction == 'desc' else '+'}{sort}"
    return given, conditions
