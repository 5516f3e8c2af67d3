"""How tags are shown."""

from __future__ import annotations

from zstack_appliance.kernel.presentation import Presentation
from zstack_appliance.kernel.tag import SystemTagRow, UserTag

PRESENTATIONS = (
    Presentation(
        UserTag,
        one="tag",
        many="Tags",
        place=("Administration", 5),
        icon="tag",
        columns=("tag", "resourceType", "resourceUuid", "createDate"),
        note="Put a tag on anything, on its page, to group and to find it.",
    ),
    Presentation(
        SystemTagRow,
        one="system tag",
        many="System tags",
        columns=("tag", "resourceType", "resourceUuid", "createDate"),
    ),
)
