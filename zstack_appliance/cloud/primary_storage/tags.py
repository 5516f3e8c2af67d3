"""The system tags of offerings by which a volume's primary storage is chosen, and `steering`, which reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from zstack_appliance.kernel.errors import Fault
from zstack_appliance.kernel.tag import SystemTag


def _uuid(tokens: dict[str, str]) -> Fault | None:
    if re.fullmatch(r"[0-9a-f]{32}", tokens["uuid"]):
        return None
    return Fault("systemTags", f"[{tokens['uuid']}] is no uuid of a primary storage: 32 lower-case hexadecimal digits")


_PREFIX = "primaryStorage::allocator"
BY_UUID, BY_REQUIRED_TAG, BY_TAG = (
    (f"{_PREFIX}::uuid::{{uuid}}", "The primary storage that its volumes go to.", _uuid),
    (f"{_PREFIX}::userTag::{{tag}}::required", "The user tag of primary storages that its volumes go to.", None),
    (f"{_PREFIX}::userTag::{{tag}}", "The user tag of primary storages that its volumes go to if one has room.", None),
)

TAGS = tuple(
    SystemTag(vo, pattern, description, check)
    for vo in ("DiskOfferingVO", "InstanceOfferingVO")
    # The first pattern that fits a tag is the tag's.
    for pattern, description, check in (BY_UUID, BY_REQUIRED_TAG, BY_TAG)
)


def steering(tags: Iterable[str]) -> dict[str, Any]:
    """What an offering's system tags add to a `VolumeWish`."""
    found: dict[str, Any] = {}
    for tag in tags:
        for pattern in TAGS[:3]:
            tokens = pattern.tokens(tag)
            if tokens is None:
                continue
            if "uuid" in tokens:
                found["primary_storage_uuid"] = tokens["uuid"]
            elif pattern.pattern.endswith("::required") or "user_tag" not in found:
                found["user_tag"] = tokens["tag"]
                found["user_tag_required"] = pattern.pattern.endswith("::required")
            break
    return found
