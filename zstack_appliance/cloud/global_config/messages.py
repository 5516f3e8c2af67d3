"""What can be asked of settings, global ones and those of single resources, and what is told of their changes."""

from __future__ import annotations

from typing import Annotated

import msgspec

from zstack_appliance.kernel.config import Setting
from zstack_appliance.kernel.message import ADMIN, ANY, OWNER, Action, Event, Read, Request, api
from zstack_appliance.kernel.resource_config import ResourceConfig
from zstack_appliance.kernel.schema import Uuid

_WIRE = "org.zstack.core.config"
_BOUND = "org.zstack.resourceconfig"
Value = Annotated[str, msgspec.Meta(max_length=2048)]


class SettingChanged(Event, frozen=True, kw_only=True):
    """A setting has another value from now on, everywhere or for one resource and what stands below it."""

    path: str
    """``category.name``."""
    resource_uuid: Uuid | None = None
    """None for the global value."""


@api("PUT", "/global-configurations/{category}/{name}/actions", access=ADMIN)
class UpdateGlobalConfig(Action[Setting], frozen=True, kw_only=True):
    """Change one setting, from now on and for ever."""

    category: str
    name: str
    value: Value | None = None
    """None puts the default back."""


@api("PUT", "/global-configurations/actions", access=ADMIN, reply=None, wire=_WIRE)
class ResetGlobalConfig(Action[None], frozen=True, kw_only=True):
    """Put the default of every setting back."""


class Options(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What values a setting takes."""

    valid_value: tuple[str, ...] | None = None
    number_greater_than_or_equal: int | None = None
    number_less_than_or_equal: int | None = None


class OptionsReply(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `GetGlobalConfigOptions`."""

    options: Options


@api("GET", "/global-configurations/{category}/{name}", access=ANY, sync=True, reply=None, wire=_WIRE)
class GetGlobalConfigOptions(Read[OptionsReply], frozen=True, kw_only=True):
    """Ask what values a setting takes."""

    category: str
    name: str


@api("PUT", "/resource-configurations/{category}/{name}/{resourceUuid}/actions", access=OWNER)
class UpdateResourceConfig(Request[ResourceConfig], frozen=True, kw_only=True):
    """Give a resource a value of its own for a setting, which holds for what stands below it too."""

    category: str
    name: str
    resource_uuid: Uuid
    value: Value


class WishedConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One of several settings that `UpdateResourceConfigs` changes."""

    category: str
    name: str
    value: Value


class EffectiveConfig(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A setting as it holds for a resource."""

    name: str
    value: str
    effective_configs: tuple[ResourceConfig, ...]
    """What the resource and those above it have for themselves, nearest first; none for the global value."""


@api(
    "POST",
    "/resource-configurations/{resourceUuid}/resource-configs/actions",
    access=OWNER,
    reply="inventories",
    wire=_BOUND,
)
class UpdateResourceConfigs(Request[tuple[EffectiveConfig, ...]], frozen=True, kw_only=True):
    """Give a resource values of its own for several settings, all or none."""

    resource_uuid: Uuid
    resource_configs: Annotated[tuple[WishedConfig, ...], msgspec.Meta(min_length=1)]


@api(
    "DELETE",
    "/resource-configurations/{category}/{name}/{resourceUuid}",
    access=OWNER,
    reply=None,
    target=ResourceConfig,
)
class DeleteResourceConfig(Request[None], frozen=True, kw_only=True):
    """Take a resource's own value away, so that it has again what is above it. None is no error."""

    category: str
    name: str
    resource_uuid: Uuid
    delete_mode: str | None = None
    """Ignored: there is nothing to ask, and nothing to force."""


class ValueReply(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer to `GetResourceConfig`."""

    value: str
    effective_configs: tuple[ResourceConfig, ...]


@api(
    "GET",
    "/resource-configurations/{resourceUuid}/{category}/{name}",
    access=OWNER,
    sync=True,
    reply=None,
    target=ResourceConfig,
)
class GetResourceConfig(Read[ValueReply], frozen=True, kw_only=True):
    """Ask which value of a setting holds for a resource, and where it comes from."""

    resource_uuid: Uuid
    category: str
    name: str


class BindableConfig(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A setting that resources may have for themselves."""

    category: str
    name: str
    description: str
    bind_resource_types: tuple[str, ...]
    """Wire types of those resources, nearest first."""


@api(
    "GET",
    "/resource-configurations/bindable",
    access=ANY,
    sync=True,
    reply="bindableConfigs",
    wire=_BOUND,
    aliases=("/resource-configurations/bindable/{category}",),
)
class GetResourceBindableConfig(Read[tuple[BindableConfig, ...]], frozen=True, kw_only=True):
    """Ask which settings resources may have for themselves."""

    category: str | None = None
    """None asks for those of every category."""


class ValuesReply(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `GetResourceConfigs`."""

    configs: tuple[EffectiveConfig, ...]


@api("GET", "/resource-configurations/{resourceUuid}/{category}", access=OWNER, sync=True, reply=None, wire=_BOUND)
class GetResourceConfigs(Read[ValuesReply], frozen=True, kw_only=True):
    """Ask the same of several settings of one category."""

    resource_uuid: Uuid
    category: str
    names: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
