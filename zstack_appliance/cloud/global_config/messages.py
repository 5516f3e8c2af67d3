"""What can be asked of the global configuration."""

from __future__ import annotations

from zstack_appliance.kernel.config import Setting
from zstack_appliance.kernel.message import ADMIN, Action, api

_WIRE = "org.zstack.core.config"


@api("PUT", "/global-configurations/{category}/{name}/actions", access=ADMIN)
class UpdateGlobalConfig(Action[Setting], frozen=True, kw_only=True):
    """Change one setting, from now on and for ever."""

    category: str
    name: str
    value: str | None = None
    """None puts the default back."""


@api("PUT", "/global-configurations/actions", access=ADMIN, reply=None, wire=_WIRE)
class ResetGlobalConfig(Action[None], frozen=True, kw_only=True):
    """Put the default of every setting back."""
