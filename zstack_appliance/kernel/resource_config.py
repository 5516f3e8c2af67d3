"""Settings that one resource has for itself, and that hold for whatever stands below it.

Primitives: `ResourceConfig` (the stored row), `OwnValues` (whether there are any), `ways_up` (how a row's
references lead to what stands above it) and `ConfigsOf` (the values in force for one row, and where they come
from). A row takes the value of the nearest resource that its setting is bound to, in the order of
``GlobalConfig.bind``; failing that, the global one.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from zstack_appliance.kernel.config import Configs, GlobalConfig, Values
from zstack_appliance.kernel.errors import Fault
from zstack_appliance.kernel.schema import COMPANION, Record, Text, Uuid, fields_of, resource, root_of
from zstack_appliance.kernel.tag import SystemTag

if TYPE_CHECKING:
    from zstack_appliance.kernel.store.feed import Batch
    from zstack_appliance.kernel.store.reader import Reader

AT_CREATE = SystemTag(
    "",
    "resourceConfig::{category}::{name}::{value}",
    "Gives a new resource a value of its own for a setting.",
    single=False,
)
"""On every resource that a setting is bound to. It is carried out as the resource is made, and not kept as a tag."""


@resource(
    wire="org.zstack.resourceconfig",
    path="/resource-configurations",
    owned=True,
    table="resource_config",
    unique=(("resource_uuid", "category", "name"),),
    indexes=(("category", "name"),),
)
class ResourceConfig(Record, frozen=True, kw_only=True):
    """The value that one resource has for itself. It goes with the resource, and belongs to who owns that."""

    resource_uuid: Annotated[Uuid, COMPANION]
    resource_type: str
    """The resource's wire type, such as ``ClusterVO``."""
    category: str
    name: str
    description: Text
    value: str


class OwnValues:
    """For which settings any resource at all has a value of its own: mostly for none, which is known at once."""

    def __init__(self) -> None:
        self._paths: dict[str, str] = {}

    def load(self, stored: Iterable[ResourceConfig]) -> None:
        """Know what is stored already."""
        self._paths = {row.uuid: f"{row.category}.{row.name}" for row in stored}

    def heard(self, batch: Batch) -> None:
        """Listen to the change feed."""
        for change in batch.changes:
            if isinstance(change.after, ResourceConfig):
                self._paths[change.key] = f"{change.after.category}.{change.after.name}"
            elif isinstance(change.before, ResourceConfig):
                self._paths.pop(change.key, None)

    def have(self, path: str) -> bool:
        """Whether any resource has a value of its own for a setting."""
        return bool(self._paths) and path in self._paths.values()


class ConfigsOf(Values):
    """The values in force for one row.

    Args:
        configs: the global ones.
        row: need not be stored yet.
        reader: what resources have for themselves is read from it, at each question.
        own: spares the reading where nothing has a value of its own.
    """

    def __init__(self, configs: Configs, row: Record, reader: Reader, own: OwnValues) -> None:
        self._configs = configs
        self._row = row
        self._reader = reader
        self._own = own

    def text(self, path: str) -> str:
        """The value in force, as text."""
        found = next(iter(self.effective(path)), None)
        return self._configs.text(path) if found is None else found.value

    def effective(self, path: str) -> tuple[ResourceConfig, ...]:
        """What the row and the resources above it have for themselves, nearest first; the first one counts."""
        config = self._configs.declaration(path)
        found: list[ResourceConfig] = []
        if not self._own.have(path):
            return ()
        for vo in config.bind:
            uuid = self._above(vo)
            if uuid is not None:
                found += self._reader.find(
                    ResourceConfig, resource_uuid=uuid, category=config.category, name=config.name
                )
        return tuple(found)

    def _above(self, vo: str) -> str | None:
        """The uuid of the row itself, or of the resource of a wire type that its references lead to."""
        row: Record | None = self._row
        way = ways_up(type(self._row)).get(vo)
        if way is None:
            return None
        for name, target in way:
            uuid: str | None = getattr(row, name)
            row = None if uuid is None else self._reader.get(target, uuid)
            if row is None:
                return None
        return row.uuid if row is not None else None


@functools.cache
def ways_up(cls: type[Record]) -> dict[str, tuple[tuple[str, type[Record]], ...]]:
    """How the references of a class lead to others: wire type to the fields on the way, with what they refer to.

    The shortest way counts; of several, the one whose field is declared first, also where that one is null.
    """
    ways: dict[str, tuple[tuple[str, type[Record]], ...]] = {root_of(cls).vo: ()}
    heads = deque([cls])
    while heads:
        head = heads.popleft()
        for field in fields_of(head):
            if field.ref is not None:
                target = root_of(field.ref.target)
                if target.vo not in ways:
                    ways[target.vo] = (*ways[root_of(head).vo], (field.name, target.cls))
                    heads.append(target.cls)
    return ways


def fault_of(config: GlobalConfig, cls: type[Record], value: str) -> Fault | None:
    """What is wrong with giving a row of a class this value for itself, or None."""
    vo = root_of(cls).vo
    if vo in config.bind:
        return config.fault(value)
    able = f"{', '.join(config.bind)} can" if config.bind else "no resource can"
    return Fault("resourceUuid", f"global config[{config.path}] cannot be bound to a resource of type {vo}; {able}")


def draft_config(config: GlobalConfig, row: Record, value: str, uuid: str) -> ResourceConfig:
    """A new value of its own for a row; both dates are set when it is inserted."""
    return ResourceConfig(
        uuid=uuid,
        create_date=0,
        last_op_date=0,
        resource_uuid=row.uuid,
        resource_type=root_of(type(row)).vo,
        category=config.category,
        name=config.name,
        description=config.description,
        value=value,
    )


def at_create_fault(configs: Configs, cls: type[Record], tag: str) -> Fault | None:
    """What is wrong with a tag of the pattern `AT_CREATE` on a new row of a class, or None."""
    tokens = AT_CREATE.tokens(tag) or {}
    config = configs.declared.get(f"{tokens['category']}.{tokens['name']}")
    if config is None:
        return Fault("systemTags", f"system tag[{tag}] names no setting; query /global-configurations for what exists")
    found = fault_of(config, cls, tokens["value"])
    return found and Fault("systemTags", f"system tag[{tag}]: {found.text}")
