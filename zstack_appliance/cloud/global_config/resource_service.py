"""Settings of single resources: give, take away, and tell which value holds."""

from __future__ import annotations

from zstack_appliance.cloud.global_config.messages import (
    BindableConfig,
    DeleteResourceConfig,
    EffectiveConfig,
    GetResourceBindableConfig,
    GetResourceConfig,
    GetResourceConfigs,
    SettingChanged,
    UpdateResourceConfig,
    UpdateResourceConfigs,
    ValueReply,
    ValuesReply,
    WishedConfig,
)
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.config import GlobalConfig
from zstack_appliance.kernel.errors import Forbidden, NotFound, refuse
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.resource_config import ResourceConfig, draft_config, fault_of
from zstack_appliance.kernel.schema import Record
from zstack_appliance.kernel.sharing import is_shared
from zstack_appliance.kernel.store import Tx


@handles(UpdateResourceConfig)
async def update(m: UpdateResourceConfig, cloud: Cloud) -> ResourceConfig:
    """Serve `UpdateResourceConfig`."""
    row = owned(m.resource_uuid, cloud)
    wish = WishedConfig(category=m.category, name=m.name, value=m.value)
    [changed] = await _change(row, (wish,), cloud)
    return changed


@handles(UpdateResourceConfigs)
async def update_several(m: UpdateResourceConfigs, cloud: Cloud) -> tuple[EffectiveConfig, ...]:
    """Serve `UpdateResourceConfigs`."""
    row = owned(m.resource_uuid, cloud)
    await _change(row, m.resource_configs, cloud)
    return tuple(_effective(row, f"{wish.category}.{wish.name}", cloud) for wish in m.resource_configs)


async def _change(row: Record, wishes: tuple[WishedConfig, ...], cloud: Cloud) -> list[ResourceConfig]:
    chosen = [(cloud.configs.declaration(f"{wish.category}.{wish.name}"), wish.value) for wish in wishes]
    refuse(*(fault_of(config, type(row), value) for config, value in chosen))
    drafts = [draft_config(config, row, value, cloud.entropy.uuid()) for config, value in chosen]

    def commit(tx: Tx) -> list[ResourceConfig]:
        tx.require(type(row), row.uuid)
        return [_put(tx, draft, owner=tx.owner(type(row), row.uuid)) for draft in drafts]

    changed = await cloud.write(commit)
    for config, _ in chosen:
        await cloud.publish(SettingChanged(path=config.path, resource_uuid=row.uuid))
    return changed


def _put(tx: Tx, draft: ResourceConfig, owner: str | None) -> ResourceConfig:
    found = _stored(tx, draft.resource_uuid, draft.category, draft.name)
    if found:
        return tx.update(found[0], value=draft.value, description=draft.description)
    return tx.insert(draft, owner=owner)


def _stored(tx: Tx, resource_uuid: str, category: str, name: str) -> list[ResourceConfig]:
    return tx.find(ResourceConfig, resource_uuid=resource_uuid, category=category, name=name)


@handles(DeleteResourceConfig)
async def delete(m: DeleteResourceConfig, cloud: Cloud) -> None:
    """Serve `DeleteResourceConfig`; a resource that is gone has none."""
    config = _bindable(m.category, m.name, cloud)
    if cloud.store.reader.anything(m.resource_uuid) is None:
        return
    row = owned(m.resource_uuid, cloud)

    def commit(tx: Tx) -> None:
        for found in _stored(tx, row.uuid, m.category, m.name):
            tx.delete(found)

    await cloud.write(commit)
    await cloud.publish(SettingChanged(path=config.path, resource_uuid=row.uuid))


@handles(GetResourceConfig)
async def look(m: GetResourceConfig, cloud: Cloud) -> ValueReply:
    """Serve `GetResourceConfig`."""
    config = _bindable(m.category, m.name, cloud)
    found = _effective(seen(m.resource_uuid, cloud), config.path, cloud)
    return ValueReply(value=found.value, effective_configs=found.effective_configs)


@handles(GetResourceConfigs)
async def look_at_several(m: GetResourceConfigs, cloud: Cloud) -> ValuesReply:
    """Serve `GetResourceConfigs`."""
    configs = [_bindable(m.category, name, cloud) for name in m.names]
    row = seen(m.resource_uuid, cloud)
    return ValuesReply(configs=tuple(_effective(row, config.path, cloud) for config in configs))


@handles(GetResourceBindableConfig)
async def bindable(m: GetResourceBindableConfig, cloud: Cloud) -> tuple[BindableConfig, ...]:
    """Serve `GetResourceBindableConfig`."""
    return tuple(
        BindableConfig(
            category=config.category,
            name=config.name,
            description=config.description,
            bind_resource_types=config.bind,
        )
        for _, config in sorted(cloud.configs.declared.items())
        if config.bind and m.category in (None, config.category)
    )


def _bindable(category: str, name: str, cloud: Cloud) -> GlobalConfig:
    """A setting that some resource can have for itself.

    Raises:
        NotFound: nobody declares it.
        Forbidden: it is global only, and so none of a caller's business.
    """
    config = cloud.configs.declaration(f"{category}.{name}")
    if not config.bind:
        raise Forbidden(f"global config[{config.path}] holds for the whole cloud; query /global-configurations for it")
    return config


def _effective(row: Record, path: str, cloud: Cloud) -> EffectiveConfig:
    """What holds for a row. What stands above it, and so decides, is told whoever may see the row."""
    found = cloud.configs_of(row).effective(path)
    return EffectiveConfig(
        name=cloud.configs.declaration(path).name,
        value=found[0].value if found else cloud.configs.text(path),
        effective_configs=found,
    )


def owned(uuid: str, cloud: Cloud) -> Record:
    """The row whose settings the caller may change.

    Raises:
        NotFound: there is none, or it is not the caller's.
    """
    row = cloud.store.reader.anything(uuid)
    if row is None or not _is_owner(row, cloud):
        raise _missing(uuid)
    return row


def seen(uuid: str, cloud: Cloud) -> Record:
    """The row whose settings the caller may look at.

    Raises:
        NotFound: there is none, or the caller may not know of it.
    """
    row = cloud.store.reader.anything(uuid)
    if row is None or not (_is_owner(row, cloud) or is_shared(cloud.store, type(row), uuid, cloud.principal)):
        raise _missing(uuid)
    return row


def _is_owner(row: Record, cloud: Cloud) -> bool:
    return cloud.principal.admin or cloud.store.owner(type(row), row.uuid) == cloud.principal.account_uuid


def _missing(uuid: str) -> NotFound:
    return NotFound(f"invalid field[resourceUuid], resource[uuid:{uuid}, type:ResourceVO] not found")
