"""What a handler, a step or a task is given: the kernel, bound to one caller and one job.

Primitives: `Kernel` (one node's mechanisms) and `Cloud` (the kernel on behalf of a `Principal`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from zstack_appliance.kernel.bus import Bus
from zstack_appliance.kernel.config import Configs
from zstack_appliance.kernel.courier import Courier
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.flow import Context, Flow
from zstack_appliance.kernel.message import Create, Event, Hook, Request
from zstack_appliance.kernel.nodes import Nodes
from zstack_appliance.kernel.principal import SYSTEM, Principal
from zstack_appliance.kernel.queues import Queues
from zstack_appliance.kernel.resource_config import ConfigsOf, OwnValues
from zstack_appliance.kernel.runner import Flows
from zstack_appliance.kernel.schema import Key, Record, fields_of
from zstack_appliance.kernel.store import Store, Tx
from zstack_appliance.kernel.world import Clock, Entropy

if TYPE_CHECKING:
    from zstack_appliance.kernel.audit import Noted

R = TypeVar("R", bound=Record)
T = TypeVar("T")
C = TypeVar("C", bound=Context)
Reply = TypeVar("Reply")
Answer = TypeVar("Answer")


@dataclass
class Kernel:
    """The mechanisms of one node, wired by the composition root."""

    store: Store
    bus: Bus
    nodes: Nodes
    courier: Courier
    queues: Queues
    flows: Flows
    configs: Configs
    clock: Clock
    entropy: Entropy
    services: dict[type[Any], Any] = field(default_factory=dict)
    """Process-wide objects that the composition root provides, by their type."""
    drivers: Mapping[tuple[type[Any], str], Any] = field(default_factory=dict)
    """What makes a driver, by Protocol and the resource's ``type``."""

    def as_system(self) -> Cloud:
        """A `Cloud` that acts for the appliance itself."""
        return Cloud(self, SYSTEM)


@dataclass(frozen=True)
class Cloud:
    """The kernel on behalf of one caller."""

    kernel: Kernel
    principal: Principal
    job_uuid: str | None = None
    api: str | None = None
    """ZStack's class of the call that is being served; None for what the appliance does by itself."""
    noted: Noted | None = None
    """The audit of the call, if it is answered at once; a job has its own."""

    @property
    def clock(self) -> Clock:
        """Wall-clock time."""
        return self.kernel.clock

    @property
    def entropy(self) -> Entropy:
        """Random values."""
        return self.kernel.entropy

    @property
    def configs(self) -> Configs:
        """The settings in force."""
        return self.kernel.configs

    def configs_of(self, row: Record) -> ConfigsOf:
        """The settings in force for one row: its own, else those of what stands above it, else the global ones."""
        return ConfigsOf(self.kernel.configs, row, self.kernel.store.reader, self.use(OwnValues))

    @property
    def store(self) -> Store:
        """The store, for reads that `get` and `find` do not cover."""
        return self.kernel.store

    async def get(self, cls: type[R], uuid: str) -> R:
        """One row.

        Raises:
            NotFound: no such row.
        """
        return self.kernel.store.require(cls, uuid)

    async def find(self, cls: type[R], **equals: Any) -> list[R]:
        """The rows whose columns equal these values, oldest first."""
        return self.kernel.store.find(cls, **equals)

    async def write(self, change: Callable[[Tx], T]) -> T:
        """Commit one function's changes, all or nothing, durably; what it inserts belongs to the caller."""
        owner = self.principal.account_uuid
        if self.noted is not None:
            change = self.noted.beside(change)
        return await self.kernel.store.write(change, owner=owner, job=self.job_uuid, api=self.api)

    async def run(self, flow: Flow[C], context: C) -> C:
        """Run a flow to its end; see `Flows.run`."""
        return await self.kernel.flows.run(flow, context, self)

    async def call(self, message: Request[Reply]) -> Reply:
        """Ask another folder; see `Bus.call`."""
        return await self.kernel.bus.call(message, self)

    async def publish(self, event: Event) -> None:
        """Tell whoever listens; see `Bus.publish`."""
        await self.kernel.bus.publish(event, self)

    async def gather(self, hook: Hook[Answer]) -> tuple[Answer, ...]:
        """Ask every plugin that contributes; see `Bus.gather`."""
        return await self.kernel.bus.gather(hook, self)

    def use(self, service: type[T]) -> T:
        """A process-wide object that the composition root provides.

        Raises:
            LookupError: it provides none of this type.
        """
        try:
            found: T = self.kernel.services[service]
        except KeyError:
            raise LookupError(f"the composition root provides no {service.__name__}") from None
        return found

    def driver(self, protocol: type[Any], kind: str) -> Any:
        """What makes the driver that a resource's ``type`` selects.

        Raises:
            Conflict: its plugin has been removed.
        """
        try:
            return self.kernel.drivers[protocol, kind]
        except KeyError:
            raise Conflict(f"type[{kind}] has no driver: the plugin that brought it is missing") from None

    def held(self) -> tuple[Key, ...]:
        """The queue keys that the running task holds."""
        return self.kernel.queues.held()

    def acting_as(self, principal: Principal) -> Cloud:
        """The same kernel and job on behalf of another."""
        return replace(self, principal=principal)

    def draft(self, cls: type[R], message: Request[Any], **values: Any) -> R:
        """A new row from a create message: fields of one name are copied, the rest is given.

        The uuid is the caller's choice or a fresh one; both dates are set when the row is inserted.
        """
        names = {field.name for field in fields_of(cls)}
        chosen = {
            field.name: getattr(message, field.name)
            for field in fields_of(type(message))
            if field.name in names and field.name not in values
        }
        if "uuid" not in chosen:
            wished = message.resource_uuid if isinstance(message, Create) else None
            chosen["uuid"] = wished or self.entropy.uuid()
        now = self.clock.millis()
        return cls(**{"create_date": now, "last_op_date": now, **chosen, **values})
