"""What accounts and sessions add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.account import first_admin, login, service
from zstack_appliance.cloud.account.schema import Account, Session
from zstack_appliance.kernel.plugin import Plugin

plugin = Plugin(
    name="account",
    resources=(Account, Session),
    handlers=(
        service.create,
        service.update,
        service.delete,
        login.log_in,
        login.log_out,
        login.validate,
        login.renew,
    ),
    configs=(login.TIMEOUT, login.MAX_CONCURRENT, login.CLEANUP_INTERVAL, login.UNIQUE),
    starts=(first_admin.make,),
    tasks=(login.remove_expired,),
)
