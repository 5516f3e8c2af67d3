"""What local primary storage adds to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.primary_storage.driver import PrimaryStorageDriver
from zstack_appliance.cloud.primary_storage.local.add import TYPE, add_local
from zstack_appliance.cloud.primary_storage.local.host_side import HOST_SIDE
from zstack_appliance.cloud.primary_storage.local.management import LocalPrimaryStorage
from zstack_appliance.kernel.plugin import Plugin

plugin = Plugin(
    name="primary_storage.local",
    handlers=(add_local,),
    drivers={(PrimaryStorageDriver, TYPE): LocalPrimaryStorage},
    host_side=HOST_SIDE,
)
