"""What an administrator can set about web hooks."""

from __future__ import annotations

from zstack_appliance.kernel.config import GlobalConfig

ALLOWED = GlobalConfig(
    "webHook",
    "allowed",
    "",
    "Private hosts and networks that web hooks may call all the same, separated by semicolons.",
)
