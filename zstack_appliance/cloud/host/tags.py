"""The system tags of hosts, and those of clusters and zones that concern their hosts."""

from __future__ import annotations

from zstack_appliance.kernel.config import parse_number
from zstack_appliance.kernel.errors import Fault
from zstack_appliance.kernel.tag import SystemTag


def _capacity(tokens: dict[str, str]) -> Fault | None:
    number = parse_number(tokens["capacity"])
    if number is not None and number >= 0:
        return None
    return Fault(
        "systemTags", f"capacity[{tokens['capacity']}] is no number; give one, if need be with a unit as in 2G"
    )


def _reserving(what: str, meaning: str) -> tuple[SystemTag, ...]:
    return (
        SystemTag("HostVO", f"reserved{what}::{{capacity}}", f"{meaning} that the host keeps free.", _capacity),
        *(
            SystemTag(
                vo, f"host::reserved{what}::{{capacity}}", f"{meaning} that each host of it keeps free.", _capacity
            )
            for vo in ("ClusterVO", "ZoneVO")
        ),
    )


RESERVED_CPU = _reserving("Cpu", "Virtual CPUs")
RESERVED_MEMORY = _reserving("Memory", "Memory, in bytes or with a unit,")
TAGS = (*RESERVED_CPU, *RESERVED_MEMORY)
