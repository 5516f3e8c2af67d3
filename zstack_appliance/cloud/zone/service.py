"""What zones need beyond the standard handlers: one default among them."""

from __future__ import annotations

from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.store import Tx


def keep_one_default(tx: Tx, zone: Zone) -> None:
    """If this zone is the default now, no other is any more."""
    if zone.is_default:
        for other in tx.find(Zone, is_default=True):
            if other.uuid != zone.uuid:
                tx.update(other, is_default=False)
