"""How operations are shown."""

from __future__ import annotations

from zstack_appliance.kernel.job import Job
from zstack_appliance.kernel.presentation import Presentation

PRESENTATIONS = (
    Presentation(
        Job,
        one="operation",
        many="Operations",
        place=("Administration", 4),
        icon="activity",
        key="j",
        columns=("api", "state", "createDate", "finishedDate"),
        when={"CancelJob": ("Running",)},
        first=("CancelJob",),
        note="Whatever takes time is an operation, with its steps, and what was undone if it failed.",
    ),
)
