"""How instance offerings are shown."""

from __future__ import annotations

from zstack_appliance.cloud.instance_offering.schema import InstanceOffering
from zstack_appliance.kernel.presentation import Presentation

PRESENTATIONS = (
    Presentation(
        InstanceOffering,
        many="Instance offerings",
        place=("Compute", 3),
        icon="chip",
        key="o",
        columns=("name", "state", "cpuNum", "memorySize", "description", "createDate"),
        inputs=("name", "cpuNum", "memorySize", "description"),
        note="An instance offering is a size of VM to choose from.",
        step=7,
    ),
)
