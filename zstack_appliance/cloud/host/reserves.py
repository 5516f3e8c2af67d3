"""What single hosts, clusters and zones deviate in, from their tags and settings: `rules`, on a transaction.

A tag of a resource wins over its setting; the allocator lets the nearest resource win.
"""

from __future__ import annotations

from zstack_appliance.cloud.host.allocation import Rules
from zstack_appliance.cloud.host.messages import HostWish
from zstack_appliance.cloud.host.tags import RESERVED_CPU, RESERVED_MEMORY
from zstack_appliance.kernel.config import parse_fraction, parse_number
from zstack_appliance.kernel.resource_config import ResourceConfig
from zstack_appliance.kernel.schema import describe
from zstack_appliance.kernel.store import Reader
from zstack_appliance.kernel.tag import SystemTag, SystemTagRow

_TAGS = f"""
SELECT resource_uuid, resource_type, tag FROM {describe(SystemTagRow).table} WHERE tag >= ? AND tag < ?
"""


def rules(tx: Reader, wish: HostWish) -> Rules:
    """The deviations in force."""
    memory = {uuid: parse_number(value) or 0 for uuid, value in _settings(tx, "kvm", "reservedMemory")}
    ratios = _settings(tx, "mevoco", "overProvisioning.memory")
    return Rules(
        reserved_cpu=_tagged(tx, RESERVED_CPU, wish.reserve_levels),
        reserved_memory=memory | _tagged(tx, RESERVED_MEMORY, wish.reserve_levels),
        memory_ratio={uuid: parse_fraction(value) or 1.0 for uuid, value in ratios},
    )


def _settings(tx: Reader, category: str, name: str) -> list[tuple[str, str]]:
    return [(row.resource_uuid, row.value) for row in tx.find(ResourceConfig, category=category, name=name)]


def _tagged(tx: Reader, patterns: tuple[SystemTag, ...], levels: tuple[str, ...]) -> dict[str, int]:
    found: dict[str, int] = {}
    for prefix in {pattern.pattern.partition("{")[0] for pattern in patterns}:
        # By the index on texts: hosts have many tags, and few of them reserve anything.
        for uuid, target, tag in tx.select(_TAGS, (prefix, f"{prefix}\U0010ffff")):
            pattern = next((each for each in patterns if each.target == target and each.tokens(tag)), None)
            if pattern is not None and target in levels:
                found[uuid] = parse_number(tag.removeprefix(prefix)) or 0
    return found
