"""Make, change and delete accounts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from zstack_appliance.cloud.account.first_admin import FirstAdmin
from zstack_appliance.cloud.account.limits import draft_quotas
from zstack_appliance.cloud.account.messages import CreateAccount, DeleteAccount, UpdateAccount
from zstack_appliance.cloud.account.passwords import Passwords
from zstack_appliance.cloud.account.schema import Account, Session
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.derive.ddl import OWNER, quoted
from zstack_appliance.kernel.edges import Graph
from zstack_appliance.kernel.errors import Conflict, Fault, refuse
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT
from zstack_appliance.kernel.quota import Quotas
from zstack_appliance.kernel.removal import remove
from zstack_appliance.kernel.schema import Record, describe
from zstack_appliance.kernel.store import Tx
from zstack_appliance.kernel.tags import attach, draft_tags


@handles(CreateAccount)
async def create(m: CreateAccount, cloud: Cloud) -> Account:
    """Make an account whose row is its own."""
    account = cloud.draft(Account, m, password=await cloud.use(Passwords).hash(m.password))
    tagging = draft_tags(m, account, cloud)
    quotas = draft_quotas(account, cloud.use(Quotas).declared, cloud)

    def commit(tx: Tx) -> Account:
        made = tx.insert(account, owner=account.uuid)
        for quota in quotas:
            tx.insert(quota)
        attach(tx, tagging)
        return made

    return await cloud.write(commit)


@handles(UpdateAccount, queue=lambda m: Account.key(m.uuid))
async def update(m: UpdateAccount, cloud: Cloud) -> Account:
    """Change what the message gives. Another password ends every session but the caller's own."""
    passwords = cloud.use(Passwords)
    account = await cloud.get(Account, m.uuid)
    if m.old_password is not None and not await passwords.matches(account.password, m.old_password):
        refuse(Fault("oldPassword", "old password is not equal to the original password, nothing is changed"))
    changes: dict[str, Any] = {}
    for name in ("name", "description"):
        if getattr(m, name) is not None:
            changes[name] = getattr(m, name)
    if m.password is not None:
        changes["password"] = await passwords.hash(m.password)

    def commit(tx: Tx) -> Account:
        if m.password is not None:
            end_sessions(tx, m.uuid, but=cloud.principal.session_uuid)
        return tx.update(tx.require(Account, m.uuid), **changes)

    changed = await cloud.write(commit)
    if m.password is not None and m.uuid == ADMIN_ACCOUNT:
        await cloud.use(FirstAdmin).forget()
    return changed


async def delete(m: DeleteAccount, cloud: Cloud) -> None:
    """Serve `DeleteAccount`, once the cascade has deleted what the account owns."""

    def commit(tx: Tx) -> None:
        remove(tx, Account, m.uuid)
        # It may have made something since the plan was made; nothing may be left without an owner.
        refuse_owner(tx, m.uuid, cloud.use(Graph).resources)

    await cloud.write(commit)


def refuse_owner(tx: Tx, account_uuid: str, resources: Iterable[type[Record]]) -> None:
    """Raise a Conflict that names something which the account still owns; its jobs are history and may stay."""
    for cls in resources:
        described = describe(cls)
        if described.base is not None or described.options.journal or not described.options.owned:
            continue
        statement = f'SELECT "uuid" FROM {quoted(described.table)} WHERE {quoted(OWNER)} = ? LIMIT 1'
        for (uuid,) in tx.select(statement, (account_uuid,)):
            text = f"account[uuid:{account_uuid}] owns resource[uuid:{uuid}, type:{described.vo}]"
            raise Conflict(f"{text}; delete it or change its owner first", code="SYS.1004")


def end_sessions(tx: Tx, account_uuid: str, *, but: str | None = None) -> None:
    """Delete the sessions of an account, but for the one stored as `but`."""
    for session in tx.find(Session, account_uuid=account_uuid):
        if session.uuid != but:
            tx.delete(session)
