"""Share rows with other accounts, and take them back."""

from __future__ import annotations

from zstack_appliance.cloud.account.messages import RevokeResourceSharing, ShareResource
from zstack_appliance.cloud.account.schema import Account
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Fault, NotFound, refuse
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.schema import Record, root_of
from zstack_appliance.kernel.sharing import SharedResource
from zstack_appliance.kernel.store import Tx


@handles(ShareResource)
async def share(m: ShareResource, cloud: Cloud) -> None:
    """Serve `ShareResource`."""
    if not m.to_public and not m.account_uuids:
        refuse(Fault("accountUuids", "say with whom: give accountUuids, or toPublic=true"))
    rows = [_shareable(uuid, cloud) for uuid in dict.fromkeys(m.resource_uuids)]
    receivers: list[str | None] = [None] if m.to_public else []
    receivers += [_account(uuid, cloud).uuid for uuid in dict.fromkeys(m.account_uuids or ())]
    drafts = [_draft(row, receiver, cloud) for row in rows for receiver in receivers]

    def commit(tx: Tx) -> None:
        for draft in drafts:
            _require_both_ends(tx, draft)
            place = {"resource_uuid": draft.resource_uuid, "receiver_account_uuid": draft.receiver_account_uuid}
            if not tx.find(SharedResource, **place):
                tx.insert(draft, owner=draft.owner_account_uuid)

    await cloud.write(commit)


@handles(RevokeResourceSharing)
async def revoke(m: RevokeResourceSharing, cloud: Cloud) -> None:
    """Serve `RevokeResourceSharing`; not shared is done already."""
    if not (m.all or m.to_public or m.account_uuids):
        refuse(Fault("accountUuids", "say from whom: give accountUuids, toPublic=true or all=true"))
    for uuid in dict.fromkeys(m.resource_uuids):
        _shareable(uuid, cloud)
    receivers = set(m.account_uuids or ())

    def commit(tx: Tx) -> None:
        for row in tx.find(SharedResource, resource_uuid=tuple(m.resource_uuids)):
            if m.all or (m.to_public and row.to_public) or row.receiver_account_uuid in receivers:
                tx.delete(row)

    await cloud.write(commit)


def _shareable(uuid: str, cloud: Cloud) -> Record:
    """A row that the caller may share.

    Raises:
        NotFound: there is none, or it is not the caller's.
        InvalidArgument: rows of its kind cannot be shared.
    """
    row = cloud.store.reader.anything(uuid)
    mine = row is not None and cloud.store.owner(type(row), uuid) == cloud.principal.account_uuid
    if row is None or not (mine or cloud.principal.admin):
        raise NotFound(f"invalid field[resourceUuids], resource[uuids:[{uuid}], type:ResourceVO] not found")
    root = root_of(type(row))
    if not root.options.shareable:
        text = f"resource[uuid:{uuid}, type:{root.vo}] cannot be shared; images, offerings and L3 networks can"
        refuse(Fault("resourceUuids", text))
    return row


def _account(uuid: str, cloud: Cloud) -> Account:
    found = cloud.store.get(Account, uuid)
    if found is None:
        raise NotFound(f"invalid field[accountUuids], resource[uuids:[{uuid}], type:AccountVO] not found")
    return found


def _draft(row: Record, receiver: str | None, cloud: Cloud) -> SharedResource:
    return SharedResource(
        uuid=cloud.entropy.uuid(),
        create_date=0,
        last_op_date=0,
        owner_account_uuid=cloud.store.owner(type(row), row.uuid) or cloud.principal.account_uuid,
        receiver_account_uuid=receiver,
        to_public=receiver is None,
        resource_type=root_of(type(row)).vo,
        resource_uuid=row.uuid,
    )


def _require_both_ends(tx: Tx, draft: SharedResource) -> None:
    """Either end may have gone since it was looked at; nothing else would notice."""
    for uuid in filter(None, (draft.resource_uuid, draft.receiver_account_uuid)):
        if tx.anything(uuid) is None:
            raise NotFound(f"resource[uuid:{uuid}] not found; it may have been deleted meanwhile")
