"""How accounts are shown."""

from __future__ import annotations

from zstack_appliance.cloud.account.schema import Account, AccountQuota
from zstack_appliance.kernel.presentation import Presentation

PRESENTATIONS = (
    Presentation(
        Account,
        many="Accounts",
        place=("Administration", 1),
        icon="user",
        key="a",
        columns=("name", "type", "description", "createDate"),
        inputs=("name", "password", "type", "description"),
        note="An account owns what it makes, and sees nothing of what others own.",
    ),
    Presentation(AccountQuota, one="quota", many="Quotas", columns=("name", "value", "identityUuid")),
)
