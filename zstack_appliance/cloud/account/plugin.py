"""What accounts and sessions add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.account import first_admin, limits, login, service, sharing, users
from zstack_appliance.cloud.account.messages import DeleteAccount
from zstack_appliance.cloud.account.schema import Account, AccountQuota, Session
from zstack_appliance.cloud.account.ui import PRESENTATIONS
from zstack_appliance.cloud.account.user_messages import DeletePolicy, DeleteUser, DeleteUserGroup
from zstack_appliance.cloud.account.user_schema import (
    Policy,
    User,
    UserGroup,
    UserGroupPolicyRef,
    UserGroupUserRef,
    UserPolicyRef,
)
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.sharing import SharedResource
from zstack_appliance.kernel.standard import deletes

plugin = Plugin(
    name="account",
    resources=(
        Account,
        Session,
        AccountQuota,
        SharedResource,
        User,
        UserGroup,
        Policy,
        UserGroupUserRef,
        UserPolicyRef,
        UserGroupPolicyRef,
    ),
    handlers=(
        service.create,
        service.update,
        deletes(DeleteAccount, act=service.delete),
        limits.update,
        limits.usage,
        sharing.share,
        sharing.revoke,
        login.log_in,
        login.log_in_by_user,
        login.log_out,
        login.validate,
        login.renew,
        users.create_user,
        users.create_group,
        users.create_policy,
        users.update_user,
        users.update_group,
        deletes(DeleteUser),
        deletes(DeleteUserGroup),
        deletes(DeletePolicy),
        users.add_to_group,
        users.remove_from_group,
        users.attach_to_user,
        users.attach_several,
        users.detach_from_user,
        users.detach_several,
        users.attach_to_group,
        users.detach_from_group,
        users.check_permission,
        users.resource_account,
    ),
    configs=(login.TIMEOUT, login.MAX_CONCURRENT, login.CLEANUP_INTERVAL, login.UNIQUE),
    starts=(first_admin.make, limits.give_new_quotas),
    singletons=(login.remove_expired,),
    presentations=PRESENTATIONS,
)
