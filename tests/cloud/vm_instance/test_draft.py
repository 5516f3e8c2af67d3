"""The rows that are drawn up: MAC addresses as ZStack makes them."""

from __future__ import annotations

import random

from zstack_appliance.cloud.vm_instance.draft import draw_mac
from zstack_appliance.kernel.world import Entropy


def test_macs_begin_with_fa_and_end_with_the_device() -> None:
    """The first octet keeps them unicast and locally administered; a thousand draws are all different."""
    entropy = Entropy(random.Random(7))
    macs = {draw_mac(entropy, 3) for _ in range(1000)}
    assert len(macs) == 1000
    assert all(mac.startswith("fa:") and mac.endswith(":03") and len(mac) == 17 for mac in macs)
    assert int("fa", 16) & 0b11 == 0b10
