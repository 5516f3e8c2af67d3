"""Other firewalls on the host, which drop what we forward: found, and opened where they leave room for that.

Primitives: `Obstacle`, `obstacles` (pure), `open_firewalls`, `our_rules`, `close_firewalls`. A table of our
own cannot help: nftables asks every table, and one that drops decides. So rules go where the other firewall
takes them: Docker's chain ``DOCKER-USER``, which it never touches, or the head of ``FORWARD`` in the
tables that iptables and ufw manage. They carry the instance id as their comment.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from zstack_appliance.hostkit.marks import table_name
from zstack_appliance.kernel.remote import Runtime

_USER_CHAIN = "DOCKER-USER"


class Chain(msgspec.Struct, frozen=True):
    """A chain as `nft` lists it; only one that the kernel calls by itself has a hook and a policy."""

    family: str
    table: str
    name: str
    hook: str | None = None
    policy: str | None = None


class Rule(msgspec.Struct, frozen=True):
    """A rule as `nft` lists it."""

    family: str
    table: str
    chain: str
    handle: int
    comment: str | None = None

    @property
    def where(self) -> str:
        """Family, table, chain and handle, as `nft delete rule` takes them."""
        return f"{self.family} {self.table} {self.chain} handle {self.handle}"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A chain that keeps forwarded packets back.

    Attributes:
        chain: family, table and name.
        opening: family, table and name of the chain where rules of ours let packets through; None when
            only the administrator can do that.
        note: what the administrator should do; None when we can.
    """

    chain: str
    opening: str | None
    note: str | None


def obstacles(chains: Sequence[Chain], instance: str) -> list[Obstacle]:
    """What keeps the packets of our bridges back, among a host's chains."""
    found = []
    for chain in chains:
        ours = chain.table == table_name(instance)
        if chain.hook == "forward" and chain.policy == "drop" and not ours:
            found.append(_obstacle(chain, chains, instance))
        elif (chain.table, chain.name) == ("firewalld", "filter_FORWARD"):
            found.append(Obstacle(_full(chain), None, _note("firewalld", instance, _FIREWALLD)))
    return found


_FIREWALLD = "firewall-cmd --permanent --zone=trusted --add-interface=<bridge>, for each of them"


def _obstacle(chain: Chain, chains: Sequence[Chain], instance: str) -> Obstacle:
    if (chain.family, chain.table, chain.name) != ("ip", "filter", "FORWARD"):
        advice = f"accept in {_full(chain)} what comes from or goes to them"
        return Obstacle(_full(chain), None, _note(f"the chain {_full(chain)}", instance, advice))
    names = {other.name for other in chains if (other.family, other.table) == ("ip", "filter")}
    opening = _USER_CHAIN if _USER_CHAIN in names else chain.name
    return Obstacle(_full(chain), f"ip filter {opening}", None)


def _note(who: str, instance: str, advice: str) -> str:
    return f"{who} may drop what passes the bridges zb{instance}*: {advice}"


def _full(chain: Chain) -> str:
    return f"{chain.family} {chain.table} {chain.name}"


async def open_firewalls(runtime: Runtime) -> tuple[list[str], list[str]]:
    """Have other firewalls let our bridges' packets through.

    Returns:
        What had to be done, and notes for the administrator.
    """
    found = obstacles(await _chains(runtime), runtime.instance)
    openings = {one.opening for one in found if one.opening is not None}
    present = await our_rules(runtime) if openings else []
    changed = []
    for opening in sorted(openings):
        held = [rule for rule in present if f"{rule.family} {rule.table} {rule.chain}" == opening]
        if len(held) == 2:
            continue
        changes = [*(f"delete rule {rule.where}" for rule in held), *_rules(opening, runtime.instance)]
        await runtime.run(["nft", "-f", "-"], stdin="".join(f"{change}\n" for change in changes))
        changed += changes
    return changed, [one.note for one in found if one.note is not None]


async def our_rules(runtime: Runtime) -> list[Rule]:
    """Our rules in the chains of others."""
    mark = table_name(runtime.instance)
    chains = [chain for chain in await _chains(runtime) if (chain.family, chain.table) == ("ip", "filter")]
    candidates = [chain for chain in chains if chain.name in (_USER_CHAIN, "FORWARD")]
    rules: list[Rule] = []
    for chain in candidates:
        listed = await _listed(runtime, "list", "chain", chain.family, chain.table, chain.name)
        found = (msgspec.convert(one["rule"], Rule) for one in listed if "rule" in one)
        rules += [rule for rule in found if rule.comment == mark]
    return rules


async def close_firewalls(runtime: Runtime) -> list[str]:
    """Have no rules of ours in the chains of others.

    Returns:
        What had to be done.
    """
    changes = [f"delete rule {rule.where}" for rule in await our_rules(runtime)]
    if changes:
        await runtime.run(["nft", "-f", "-"], stdin="".join(f"{change}\n" for change in changes))
    return changes


def _rules(opening: str, instance: str) -> list[str]:
    """Bridged packets pass here too where the kernel shows them to firewalls, as Docker has it do."""
    mark = f'accept comment "{table_name(instance)}"'
    return [f'insert rule {opening} {direction} "zb{instance}*" counter {mark}' for direction in ("iifname", "oifname")]


async def _chains(runtime: Runtime) -> list[Chain]:
    listed = await _listed(runtime, "list", "chains")
    return [msgspec.convert(one["chain"], Chain) for one in listed if "chain" in one]


async def _listed(runtime: Runtime, *question: str) -> list[dict[str, Any]]:
    answer = await runtime.run(["nft", "--json", "--handle", *question])
    rows: list[dict[str, Any]] = json.loads(answer.stdout)["nftables"]
    return rows
