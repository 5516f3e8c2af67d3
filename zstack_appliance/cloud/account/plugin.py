"""What accounts and sessions add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.account import first_admin, limits, login, service, sharing
from zstack_appliance.cloud.account.messages import DeleteAccount
from zstack_appliance.cloud.account.schema import Account, AccountQuota, Session
from zstack_appliance.cloud.account.ui import PRESENTATIONS
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.sharing import SharedResource
from zstack_appliance.kernel.standard import deletes

plugin = Plugin(
    name="account",
    resources=(Account, Session, AccountQuota, SharedResource),
    handlers=(
        service.create,
        service.update,
        deletes(DeleteAccount, act=service.delete),
        limits.update,
        limits.usage,
        sharing.share,
        sharing.revoke,
        login.log_in,
        login.log_out,
        login.validate,
        login.renew,
    ),
    configs=(login.TIMEOUT, login.MAX_CONCURRENT, login.CLEANUP_INTERVAL, login.UNIQUE),
    starts=(first_admin.make, limits.give_new_quotas),
    singletons=(login.remove_expired,),
    presentations=PRESENTATIONS,
)
