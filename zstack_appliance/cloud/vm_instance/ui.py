"""How VMs are shown."""

from __future__ import annotations

from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmNic
from zstack_appliance.kernel.presentation import Presentation, Tab

UP = ("Running", "Paused", "Unknown")
SEEN = ("Running", "Paused", "Crashed")
"""States in which a VM has a display; see `console.py`."""


def _console(slug: str, title: str, scheme: str) -> Tab:
    given = {"targetScheme": scheme}
    return Tab(slug, title, "console.html", SEEN, "RequestConsoleAccess", given, "StartVmInstance")


PRESENTATIONS = (
    Presentation(
        VmInstance,
        one="VM",
        many="Virtual machines",
        place=("Compute", 1),
        icon="monitor",
        key="v",
        columns=("name", "state", "vmNics.ip", "cpuNum", "memorySize", "hostUuid", "imageUuid", "createDate"),
        inputs=("name", "imageUuid", "instanceOfferingUuid", "l3NetworkUuids", "description"),
        prefill=("imageUuid", "instanceOfferingUuid", "l3NetworkUuids"),
        when={
            "StartVmInstance": ("Stopped", "Created"),
            "StopVmInstance": UP,
            "RebootVmInstance": ("Running",),
            "PauseVmInstance": ("Running",),
            "ResumeVmInstance": ("Paused",),
            "RecoverVmInstance": ("Destroyed",),
            "ExpungeVmInstance": ("Destroyed",),
        },
        first=("StartVmInstance", "StopVmInstance", "RebootVmInstance"),
        note="Choose an image, a size and a network; everything else has a default.",
        tabs=(_console("console", "Console", "vnc"), _console("serial", "Serial", "serial")),
        placement="GetPlacements",
        counted="state",
        step=10,
    ),
    Presentation(
        VmNic,
        one="NIC",
        many="NICs",
        place=("Network", 4),
        icon="nic",
        columns=("ip", "state", "mac", "vmInstanceUuid", "l3NetworkUuid", "deviceId"),
    ),
)
