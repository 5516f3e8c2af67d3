"""The system tag that puts a VM on a cost center."""

from __future__ import annotations

import re

from zstack_appliance.kernel.errors import Fault
from zstack_appliance.kernel.tag import SystemTag
from zstack_plugins.cost_center.messages import NUMBER


def _check(tokens: dict[str, str]) -> Fault | None:
    if re.match(NUMBER, tokens["number"]):
        return None
    return Fault("systemTags", f"costCenter[{tokens['number']}] is no cost center's number; give four digits")


COST_CENTER = SystemTag("VmInstanceVO", "costCenter::{number}", "The cost center that pays for the VM.", _check)
