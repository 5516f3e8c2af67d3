"""The composition root: what an appliance is made of, in the order that it comes up.

Primitives: `Outside` (everything that is given from outside, so that a test can give its own), `Appliance`
(one that runs) and `open_appliance`.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import argon2
import trio
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from zstack_appliance import lifetime
from zstack_appliance.api.answers import Answers
from zstack_appliance.api.app import make_app
from zstack_appliance.api.auth import Callers
from zstack_appliance.api.console import console_route
from zstack_appliance.api.dates import printed
from zstack_appliance.api.events import events_route
from zstack_appliance.api.events_socket import events_socket_route
from zstack_appliance.api.fresh import Fresh
from zstack_appliance.api.health import health_route
from zstack_appliance.api.legacy import Legacy
from zstack_appliance.api.metrics import Metered, Metrics
from zstack_appliance.api.openapi import openapi_route
from zstack_appliance.api.rest import CONFIGS, Rest
from zstack_appliance.api.ui.door import make_ui
from zstack_appliance.api.ui.nouns import Nouns
from zstack_appliance.api.ui.values import moment
from zstack_appliance.cloud.account.attempts import LoginAttempts
from zstack_appliance.cloud.account.first_admin import FirstAdmin
from zstack_appliance.cloud.account.limits import limit_of
from zstack_appliance.cloud.account.passwords import ARGON2, Offload, Passwords
from zstack_appliance.cloud.account.sessions import Sessions
from zstack_appliance.cloud.account.user_rights import UserRights
from zstack_appliance.cloud.host.command import COMMANDS
from zstack_appliance.cloud.host.links import HostLinks
from zstack_appliance.cloud.management_node.membership import Membership, leave
from zstack_appliance.kernel import bounded
from zstack_appliance.kernel.audit import Audits
from zstack_appliance.kernel.bounded import InTime
from zstack_appliance.kernel.bus import Bus
from zstack_appliance.kernel.cascade import Cascade
from zstack_appliance.kernel.cloud import Kernel
from zstack_appliance.kernel.compile import Compiler
from zstack_appliance.kernel.config import Configs
from zstack_appliance.kernel.courier import Courier
from zstack_appliance.kernel.derive.legacy import messages
from zstack_appliance.kernel.derive.openapi import document
from zstack_appliance.kernel.derive.route import Routes
from zstack_appliance.kernel.doorplate import Doorplate
from zstack_appliance.kernel.edges import Graph
from zstack_appliance.kernel.events.service import Events
from zstack_appliance.kernel.flow_edits import offers, with_edits
from zstack_appliance.kernel.flows_file import FLOWS_FILE, read_edits
from zstack_appliance.kernel.history import History
from zstack_appliance.kernel.inbox import Inbox
from zstack_appliance.kernel.instance import Instance
from zstack_appliance.kernel.inventory import Inventories
from zstack_appliance.kernel.job import Jobs
from zstack_appliance.kernel.journal import Sealer
from zstack_appliance.kernel.nodes import Nodes
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.portal import Portal
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT
from zstack_appliance.kernel.query import Queries
from zstack_appliance.kernel.queues import Queues
from zstack_appliance.kernel.quota import Quotas
from zstack_appliance.kernel.records import RECORDS
from zstack_appliance.kernel.recovery import Recovery
from zstack_appliance.kernel.remember import remember
from zstack_appliance.kernel.resource_config import OwnValues
from zstack_appliance.kernel.rounds import Rounds
from zstack_appliance.kernel.runner import Flows, Probe
from zstack_appliance.kernel.schema import Key, Record
from zstack_appliance.kernel.sharing import shared
from zstack_appliance.kernel.store import Store
from zstack_appliance.kernel.tags import TagPatterns
from zstack_appliance.kernel.tickets import Tickets
from zstack_appliance.kernel.world import Clock, Entropy
from zstack_appliance.kernel.zql.run import Zql
from zstack_appliance.lifetime import Cluster, node_uuid
from zstack_appliance.measuring import metrics_door
from zstack_appliance.plugins import installed
from zstack_appliance.version import VERSION

Hosts = Callable[[Instance, tuple[Plugin, ...]], HostLinks]
"""Makes what reaches hosts from the host halves that the plugins bring."""


@dataclass(frozen=True, kw_only=True)
class Outside:
    """Everything that an appliance is given from outside.

    Args:
        data: the data folder; it exists.
        instance: which appliance this is.
        clock: wall-clock time.
        entropy: random values.
        sealer: encrypts what is secret at rest.
        hosts: reaches hosts.
        offload: runs what computes for long.
        hasher: argon2 with its costs.
        password: the administrator's, at the first start; None draws one.
        probe: watches every flow's steps.
        threads: False for tests under a virtual clock; see `Store.open`.
        synchronous: SQLite's setting; see `Store.open`.
        web: the folder ``webui``, or the same inside an archive; None serves no pages.
        node_name: this node's, which is its host's; no other node of the cloud has it.
        cluster: what joins this node to others; None is a single one.
        metrics_token: with which others than this machine may read ``/metrics``; empty keeps them out.
    """

    data: Path
    instance: Instance
    clock: Clock
    entropy: Entropy
    sealer: Sealer
    hosts: Hosts
    offload: Offload
    hasher: argon2.PasswordHasher = ARGON2
    password: str | None = None
    probe: Probe | None = None
    threads: bool = True
    synchronous: str = "FULL"
    web: Traversable | None = None
    node_name: str = field(default_factory=socket.gethostname)
    cluster: Cluster | None = None
    metrics_token: str = ""


@dataclass
class Appliance:
    """One that runs."""

    kernel: Kernel
    portal: Portal
    jobs: Jobs
    answers: Answers
    plugins: tuple[Plugin, ...]
    links: HostLinks
    membership: Membership
    inbox: Inbox
    recovery: Recovery
    metrics: Metrics
    app: ASGIApp = field(init=False)
    """All doors, as one application."""
    ready: bool = field(default=False)
    """Set by whoever opened the doors, once all of them answer."""


@asynccontextmanager
async def open_appliance(outside: Outside, plugins: Iterable[Plugin] | None = None) -> AsyncIterator[Appliance]:
    """Bring an appliance up, and take it down at the end of the block; VMs go on either way.

    Raises:
        Conflict: another process uses the data folder, its database does not fit this version, or a plugin of
            a third party, or ``flows.toml``, asks for what cannot be.
        RuntimeError: there are no plugins.
    """
    found = tuple(plugins) if plugins is not None else installed(outside.data)
    chosen = with_edits(found, read_edits(outside.data / FLOWS_FILE))
    resources: tuple[type[Record], ...] = (*(cls for p in chosen for cls in p.resources), *RECORDS)
    configs = Configs(
        (
            *(config for plugin in chosen for config in plugin.configs),
            *(quota.config for plugin in chosen for quota in plugin.quotas),
            *CONFIGS,
            *bounded.CONFIGS,
        )
    )
    quotas = Quotas((quota for plugin in chosen for quota in plugin.quotas), limit_of, exempt=ADMIN_ACCOUNT)
    membership = Membership(
        Nodes(node_uuid(outside.instance, outside.node_name), clustered=outside.cluster is not None), outside.node_name
    )
    metrics = Metrics(VERSION)
    opening = Store.open(
        outside.data / "cloud.db",
        resources,
        outside.clock,
        sealer=outside.sealer,
        log=None if outside.cluster is None else outside.cluster.log,
        meter=metrics,
        rules=(quotas.check,) if outside.cluster is None else (membership.check, quotas.check),
        life=f"{outside.node_name}/{outside.entropy.hex(16)}",
        threads=outside.threads,
        synchronous=outside.synchronous,
    )
    async with opening as store:
        async with trio.open_nursery() as nursery:
            await remember(store, chosen)
            appliance = _wire(outside, chosen, resources, store, nursery, configs, quotas, membership, metrics)
            with lifetime.listening(appliance, outside.cluster):
                await lifetime.start(appliance, nursery)
                try:
                    yield appliance
                finally:
                    appliance.ready = False
                    if outside.cluster is not None:
                        await lifetime.retire(appliance, outside.cluster)
                    lifetime.park(appliance)
                    nursery.cancel_scope.cancel()
        if outside.cluster is not None:
            await leave(appliance.kernel.as_system())


def _wire(
    outside: Outside,
    plugins: tuple[Plugin, ...],
    resources: tuple[type[Record], ...],
    store: Store,
    nursery: trio.Nursery,
    configs: Configs,
    quotas: Quotas,
    membership: Membership,
    metrics: Metrics,
) -> Appliance:
    queues = Queues(lambda key: configs.number("kvm.host.syncLevel") if _is_host_line(key) else 1, metrics)
    graph = Graph(resources)
    compiler = Compiler(graph, store.tables, shared=shared)
    inventories = Inventories(compiler, printed)
    snapshots = InTime(store, configs)
    queries = Queries(compiler, inventories, snapshots)
    patterns = TagPatterns((tag for plugin in plugins for tag in plugin.tags), resources, configs)
    links = outside.hosts(outside.instance, plugins)
    peers = outside.cluster.peers if outside.cluster else None
    courier = Courier(membership.nodes, queues, peers, store, outside.entropy)
    kernel = Kernel(
        store=store,
        bus=Bus(plugins, queues, courier),
        nodes=membership.nodes,
        courier=courier,
        queues=queues,
        flows=Flows(
            (flow for plugin in plugins for flow in plugin.flows), outside.sealer, outside.probe, offers(plugins)
        ),
        configs=configs,
        clock=outside.clock,
        entropy=outside.entropy,
        services={
            Graph: graph,
            Cascade: Cascade(plugins),
            Quotas: quotas,
            TagPatterns: patterns,
            HostLinks: links,
            Tickets: Tickets(outside.clock, outside.entropy),
            Rounds: Rounds(queues),
            Events: Events(store, compiler, inventories),
            History: History(store, inventories),
            Membership: membership,
            Zql: Zql(compiler, queries, snapshots, printed),
            **_given(outside, store),
        },
        drivers={key: make for plugin in plugins for key, make in plugin.drivers.items()},
    )
    portal = Portal(kernel, [patterns], kernel.services[UserRights], kernel.services[Audits])
    answers = Answers(inventories, queries, store.reader)
    jobs = kernel.services[Jobs] = Jobs(portal, answers, nursery, metrics)
    inbox = Inbox(kernel, nursery)
    recovery = Recovery(kernel, jobs, inbox, nursery)
    appliance = Appliance(kernel, portal, jobs, answers, plugins, links, membership, inbox, recovery, metrics)
    shown = Queries(compiler, Inventories(compiler, moment), snapshots)
    doors = _doors(outside, appliance, shown, graph, resources)
    appliance.app = Fresh(doors, store) if outside.cluster else doors
    return appliance


def _given(outside: Outside, store: Store) -> dict[type[Any], Any]:
    """What accounts, hosts and audits need of the outside."""
    return {
        Instance: outside.instance,
        Doorplate: Doorplate(),
        OwnValues: OwnValues(),
        LoginAttempts: LoginAttempts(outside.clock),
        UserRights: UserRights(store),
        Audits: Audits(store, outside.clock, outside.entropy),
        Passwords: Passwords(outside.offload, outside.hasher),
        FirstAdmin: FirstAdmin(outside.data, outside.password),
    }


def _doors(
    outside: Outside, appliance: Appliance, shown: Queries, graph: Graph, resources: tuple[type[Record], ...]
) -> ASGIApp:
    """Every door: ZStack's two, the description of the first, whether the appliance is ready, and pages."""
    callers = Callers(Sessions(appliance.kernel.store, outside.clock))
    requests = appliance.kernel.bus.requests
    routes = Routes(requests, resources)
    events = appliance.kernel.as_system().use(Events)
    inside = (appliance.portal, appliance.jobs, appliance.answers, callers)
    looks = (look for plugin in appliance.plugins for look in plugin.presentations)
    doors = make_app(
        Rest(routes, *inside),
        [
            openapi_route(lambda: document(routes.all, graph, VERSION)),
            *Legacy(messages(requests, resources), *inside).routes,
            console_route(appliance.kernel.services[Tickets]),
            events_route(events, callers),
            events_socket_route(events, callers),
            health_route(VERSION, lambda: appliance.ready),
            metrics_door(appliance, outside.metrics_token),
            *_pages(outside, appliance, shown, Nouns(graph, requests, looks), routes, events, callers),
        ],
    )
    return Metered(doors, appliance.metrics)


def _pages(
    outside: Outside,
    appliance: Appliance,
    shown: Queries,
    nouns: Nouns,
    routes: Routes,
    events: Events,
    callers: Callers,
) -> list[BaseRoute]:
    """The pages for people, if this appliance has them."""
    if outside.web is None:
        return []
    served = (appliance.portal, appliance.jobs, shown, nouns, appliance.plugins)
    return make_ui(outside.web, *served, routes, events, callers, VERSION)


def _is_host_line(key: Key) -> bool:
    return key.table == COMMANDS
