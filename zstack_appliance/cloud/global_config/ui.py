"""How settings are shown."""

from __future__ import annotations

from zstack_appliance.kernel.config import Setting
from zstack_appliance.kernel.presentation import Presentation

PRESENTATIONS = (
    Presentation(
        Setting,
        one="setting",
        many="Settings",
        place=("Administration", 2),
        icon="sliders",
        sort="category",
        columns=("category", "name", "value", "defaultValue", "description"),
    ),
)
