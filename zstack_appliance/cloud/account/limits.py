"""How much each account may have: its quotas, from the day it is made."""

from __future__ import annotations

from collections.abc import Iterable

from zstack_appliance.cloud.account.messages import GetAccountQuotaUsage, QuotaUsage, UpdateQuota
from zstack_appliance.cloud.account.schema import Account, AccountQuota, AccountType
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import NotFound
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.quota import CATEGORY, Quotas
from zstack_appliance.kernel.schema import describe
from zstack_appliance.kernel.store import Reader, Tx


def limit_of(reader: Reader, account_uuid: str, name: str) -> int | None:
    """What an account may have of a quota; None where it has no limit."""
    found = reader.find(AccountQuota, identity_uuid=account_uuid, name=name)
    return found[0].value if found else None


def draft_quotas(account: Account, names: Iterable[str], cloud: Cloud) -> tuple[AccountQuota, ...]:
    """The rows of an account for these quotas, with the defaults in force; an administrator gets none."""
    if account.type is AccountType.SYSTEM_ADMIN:
        return ()
    return tuple(
        AccountQuota(
            uuid=cloud.entropy.uuid(),
            create_date=0,
            last_op_date=0,
            name=name,
            identity_uuid=account.uuid,
            identity_type=describe(Account).vo,
            value=cloud.configs.number(f"{CATEGORY}.{name}"),
        )
        for name in sorted(names)
    )


async def give_new_quotas(cloud: Cloud) -> None:
    """At start-up: a quota that came with a new version or a plugin holds for the accounts that are there."""
    declared = set(cloud.use(Quotas).declared)
    missing: list[AccountQuota] = []
    for account in await cloud.find(Account, type=AccountType.NORMAL):
        held = {quota.name for quota in await cloud.find(AccountQuota, identity_uuid=account.uuid)}
        missing += draft_quotas(account, declared - held, cloud)
    if missing:
        await cloud.write(lambda tx: _insert(tx, missing))


def _insert(tx: Tx, quotas: Iterable[AccountQuota]) -> None:
    for quota in quotas:
        tx.insert(quota)


@handles(UpdateQuota, queue=lambda m: Account.key(m.identity_uuid))
async def update(m: UpdateQuota, cloud: Cloud) -> AccountQuota:
    """Serve `UpdateQuota`."""

    def commit(tx: Tx) -> AccountQuota:
        found = tx.find(AccountQuota, identity_uuid=m.identity_uuid, name=m.name)
        if not found:
            names = ", ".join(quota.name for quota in tx.find(AccountQuota, identity_uuid=m.identity_uuid))
            raise NotFound(
                f"account[uuid:{m.identity_uuid}] has no quota[name:{m.name}];"
                f" it has {names or 'none, because nothing limits an administrator'}"
            )
        return tx.update(found[0], value=m.value)

    return await cloud.write(commit)


@handles(GetAccountQuotaUsage)
async def usage(m: GetAccountQuotaUsage, cloud: Cloud) -> tuple[QuotaUsage, ...]:
    """Serve `GetAccountQuotaUsage`; a quota whose plugin has gone is left out."""
    declared = cloud.use(Quotas).declared

    def look(reader: Reader) -> tuple[QuotaUsage, ...]:
        return tuple(
            QuotaUsage(name=row.name, total=row.value, used=declared[row.name].used(reader, m.uuid))
            for row in sorted(reader.find(AccountQuota, identity_uuid=m.uuid), key=lambda row: row.name)
            if row.name in declared
        )

    return await cloud.store.read(look)
