"""Keep the stored settings and those in force the same."""

from __future__ import annotations

from zstack_appliance.cloud.global_config.messages import (
    GetGlobalConfigOptions,
    Options,
    OptionsReply,
    ResetGlobalConfig,
    SettingChanged,
    UpdateGlobalConfig,
)
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.config import GlobalConfig, Setting
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.schema import Key, root_of
from zstack_appliance.kernel.store import Tx


def _all_settings(_message: object) -> Key:
    """One queue for every change: what is in force follows the order of the commits."""
    return Key(root_of(Setting).table, "")


@handles(UpdateGlobalConfig, queue=_all_settings)
async def update(m: UpdateGlobalConfig, cloud: Cloud) -> Setting:
    """Check and store a value, then put it in force."""
    path = f"{m.category}.{m.name}"
    declared = cloud.configs.declaration(path)
    value = declared.default if m.value is None else m.value
    cloud.configs.check(path, value)
    setting = await cloud.write(lambda tx: tx.update(_stored(tx, declared), value=value))
    cloud.configs.put(path, value)
    await cloud.publish(SettingChanged(path=path))
    return setting


@handles(ResetGlobalConfig, queue=_all_settings)
async def reset(_: ResetGlobalConfig, cloud: Cloud) -> None:
    """Store every default, then put them in force. What single resources have for themselves stays."""
    declared = tuple(cloud.configs.declared.values())
    changed = [config.path for config in declared if cloud.configs.text(config.path) != config.default]

    def commit(tx: Tx) -> None:
        for config in declared:
            tx.update(_stored(tx, config), value=config.default)

    await cloud.write(commit)
    for config in declared:
        cloud.configs.put(config.path, config.default)
    for path in changed:
        await cloud.publish(SettingChanged(path=path))


@handles(GetGlobalConfigOptions)
async def options(m: GetGlobalConfigOptions, cloud: Cloud) -> OptionsReply:
    """Say what values a setting takes."""
    config = cloud.configs.declaration(f"{m.category}.{m.name}")
    choices = config.choices or (("true", "false") if config.kind is bool else None)
    return OptionsReply(
        options=Options(
            valid_value=choices, number_greater_than_or_equal=config.low, number_less_than_or_equal=config.high
        )
    )


async def seed(cloud: Cloud) -> None:
    """Give every declared setting its row, take over changed declarations, load the values; a start task."""
    declared = [(cloud.entropy.uuid(), config) for config in cloud.configs.declared.values()]

    def commit(tx: Tx) -> None:
        stored = {(setting.category, setting.name): setting for setting in tx.find(Setting)}
        for uuid, config in declared:
            setting = stored.get((config.category, config.name))
            if setting is None:
                tx.insert(_row(config, uuid))
            elif (setting.description, setting.default_value) != (config.description, config.default):
                # A value that was the default before stays the default.
                value = config.default if setting.value == setting.default_value else setting.value
                tx.update(setting, description=config.description, default_value=config.default, value=value)

    await cloud.write(commit)
    cloud.configs.load(await cloud.find(Setting))


def _stored(tx: Tx, config: GlobalConfig) -> Setting:
    """The row of a declared setting; `seed` made one for each."""
    (setting,) = tx.find(Setting, category=config.category, name=config.name)
    return setting


def _row(config: GlobalConfig, uuid: str) -> Setting:
    return Setting(
        uuid=uuid,
        create_date=0,
        last_op_date=0,
        category=config.category,
        name=config.name,
        description=config.description,
        default_value=config.default,
        value=config.default,
    )
