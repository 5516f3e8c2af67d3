"""The root of the command line: `Root`, whose commands are loaded when they are asked for.

What is not one of the built-in commands is the name of a resource, and its commands are derived from its
declaration. So ``--help`` imports the schemas and nothing else.
"""

from __future__ import annotations

import importlib
from typing import Any

import click

from zstack_appliance.cli.exits import EXIT_HELP
from zstack_appliance.cli.local_plugins import keep_data

MODULES = {
    "api": "call",
    "bench": "bench",
    "completion": "completion",
    "doctor": "doctor",
    "install": "install",
    "login": "login",
    "logout": "login",
    "plugins": "plugins",
    "purge": "purge",
    "query": "call",
    "schema": "schema",
    "shell": "shell",
    "tui": "tui",
    "uninstall": "install",
}
"""Command to the module that holds it, each with its one line of help in `HELP`."""

HELP = {
    "api": "Call an API by its name, with key=value parameters.",
    "bench": "Measure how fast VMs are created.",
    "completion": "Make bash or zsh complete commands, conditions, names and uuids.",
    "doctor": "Look for what is wrong on this machine, and for what records do not account for.",
    "install": "Install the appliance on this machine, as a service that starts with it.",
    "login": "Open a session, and keep it for later commands.",
    "logout": "End the session that login kept.",
    "plugins": "Everything that plugins add, the built-in and others', on one page.",
    "purge": "Remove a data folder, its VMs, and all that its appliance made on this machine.",
    "query": "Query any resource.",
    "schema": "What is declared: tables, fields, routes, messages, conditions.",
    "shell": "Call APIs and query at a prompt that completes.",
    "tui": "Watch and run the cloud in the terminal, live.",
    "uninstall": "Remove the appliance from this machine; its data stays unless --purge is given.",
}


class Root(click.Group):
    """The built-in commands, and one for every resource."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; plugins in a data folder that is named bring commands of their own."""
        keep_data(ctx, args)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All of them, for completion."""
        from zstack_appliance.cli.declared import SHORT, noun_names

        return sorted({*super().list_commands(ctx), *MODULES, *noun_names(), *SHORT})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command; None when there is none of this name."""
        built_in = super().get_command(ctx, cmd_name)
        if built_in is not None:
            return built_in
        if cmd_name in MODULES:
            module = importlib.import_module(f"zstack_appliance.cli.{MODULES[cmd_name]}")
            found: click.Command = getattr(module, cmd_name)
            return found
        return _resource(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but an unknown command is told what comes close to it."""
        known = ctx.resilient_parsing or not args or args[0].startswith("-")
        if not known and self.get_command(ctx, args[0]) is None:
            from zstack_appliance.cli.declared import unknown

            raise unknown("command", args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The built-in commands with their help, then the names of the resources."""
        from zstack_appliance.cli.declared import SHORT, noun_names

        own = {name: command.get_short_help_str(80) for name, command in self.commands.items()}
        with formatter.section("Commands"):
            formatter.write_dl(sorted({**HELP, **own}.items()))
        with formatter.section("Resources, each with list, show and its own verbs (see 'RESOURCE --help')"):
            formatter.write_text(", ".join(noun_names()))
        with formatter.section("Short names"):
            formatter.write_text(", ".join(f"{short} = {name}" for short, name in SHORT.items()))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The exit statuses."""
        formatter.write_paragraph()
        formatter.write_text(EXIT_HELP)


def _resource(name: str) -> click.Command | None:
    from zstack_appliance.cli.declared import SHORT, noun_names

    long = SHORT.get(name, name)
    if long not in noun_names():
        return None
    from zstack_appliance.cli.declared import nouns
    from zstack_appliance.cli.resource import ResourceGroup
    from zstack_appliance.cli.specials import SPECIALS

    return ResourceGroup(nouns()[long], name, dict[str, Any](SPECIALS.get(long, {})))
