"""How zones are shown."""

from __future__ import annotations

from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.presentation import Presentation

PRESENTATIONS = (
    Presentation(
        Zone,
        many="Zones",
        place=("Infrastructure", 1),
        icon="map",
        key="z",
        columns=("name", "state", "isDefault", "description", "createDate"),
        inputs=("name", "description", "isDefault"),
        note="A zone holds everything else: a machine room, or a laptop.",
        step=1,
    ),
)
