"""What can be asked about volumes."""

from __future__ import annotations

from typing import Annotated

from zstack_appliance.cloud.volume.schema import Volume
from zstack_appliance.kernel.message import OWNER, Update, api
from zstack_appliance.kernel.schema import Name, Ref, Text, Uuid


@api("PUT", "/volumes/{uuid}/actions", access=OWNER)
class UpdateVolume(Update[Volume], frozen=True, kw_only=True):
    """Change a volume's name or description."""

    uuid: Annotated[Uuid, Ref(Volume)]
    name: Name | None = None
    description: Text | None = None
