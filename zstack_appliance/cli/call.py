"""``api`` and ``query``: every API by its name, and every resource by conditions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem

from zstack_appliance.cli.completing import Offering
from zstack_appliance.cli.declared import apis, find_api, find_resource, path_of, resources
from zstack_appliance.cli.exits import CliError, usage
from zstack_appliance.cli.names import Resolver
from zstack_appliance.cli.offers import Names, Offer, condition_offers, parameter_offers, word_offers
from zstack_appliance.cli.place import client_options, client_params
from zstack_appliance.cli.resource import page_params, reach
from zstack_appliance.cli.resource import query as run_query
from zstack_appliance.cli.steps import watch_at_terminal
from zstack_appliance.cli.values import parse, split_pair
from zstack_appliance.kernel.edges import query_name


def _api_offers(typed: str, _names: Names, _before: Sequence[str]) -> Iterator[Offer]:
    return word_offers((message.__name__ for message in apis()), typed, "API")


def _resource_offers(typed: str, _names: Names, _before: Sequence[str]) -> Iterator[Offer]:
    return word_offers((query_name(noun) for noun in resources() if path_of(noun) is not None), typed, "resource")


def _pair_items(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The parameters of the API that the line names."""
    try:
        message = find_api(ctx.params.get("name") or "")
    except CliError:
        return []
    return Offering(lambda typed, names, _: parameter_offers(message, typed, names))(ctx, param, incomplete)


def _condition_items(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The conditions of the resource that the line names."""
    try:
        noun = find_resource(ctx.params.get("resource") or "")
    except CliError:
        return []
    return Offering(lambda typed, names, _: condition_offers(noun, typed, names))(ctx, param, incomplete)


@click.command()
@click.argument("name", shell_complete=Offering(_api_offers))
@click.argument("pairs", nargs=-1, metavar="[KEY=VALUE]...", shell_complete=_pair_items)
@client_options
def api(name: str, pairs: tuple[str, ...], **options: Any) -> None:
    """Call the API NAME, such as CreateVmInstance or org.zstack.header.vm.APICreateVmInstanceMsg.

    Keys are ZStack's (systemTags and userTags among them). Lists are written k=a,b or as JSON, maps as JSON;
    tags may be repeated. Names are accepted wherever uuids are. What becomes a job is waited for, and its
    steps are shown at a terminal.
    """
    message = find_api(name)
    client, output = reach(options)
    params = parse(message, _merged(pairs), Resolver(client).uuid)
    reply = client.call(message, params, watch_at_terminal(client))
    if output.as_json:
        output.value(reply)
    else:
        output.inventory(reply.get("inventory", reply))


def _merged(pairs: tuple[str, ...]) -> list[tuple[str, str | tuple[str, ...]]]:
    """Key and text of each pair; tags that come again are one list."""
    found: dict[str, list[str]] = {}
    for key, value in map(split_pair, pairs):
        if key in found and key not in ("systemTags", "userTags"):
            raise usage(f"{key} is given twice")
        found.setdefault(key, []).append(value)
    return [(key, texts[0] if len(texts) == 1 else tuple(texts)) for key, texts in found.items()]


@click.command(params=[*page_params(), *client_params()])
@click.argument("resource", shell_complete=Offering(_resource_offers))
@click.argument("conditions", nargs=-1, metavar="[CONDITION]...", shell_complete=_condition_items)
def query(resource: str, **options: Any) -> None:
    """Query RESOURCE, such as VmInstance, for what matches every CONDITION.

    A condition is a path over fields and edges, an operator and a value: vmNics.ip=10.0.0.7, name~=web%,
    state?=Running,Stopped, hostUuid=null. The operators are = != > >= < <= ?= !?= (in a list), ~= !~= (like),
    'is null' and 'not null'; quote what the shell would take for itself.
    """
    noun = find_resource(resource)
    if path_of(noun) is None:
        raise usage(f"{noun.__name__} cannot be queried by itself")
    client, output = reach(options)
    run_query(client, output, noun, **options)
