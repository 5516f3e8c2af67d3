"""Take a row out of the store with what hangs on it, in one commit: `remove`, and `uproot` by force.

What has an operation of its own, a VM, say, has been dealt with before by the cascade. If something has come
meanwhile, its reference dangles and the store refuses the commit.
"""

from __future__ import annotations

from zstack_appliance.kernel.schema import OnDelete, Record, Resource
from zstack_appliance.kernel.store import Tx


def remove(tx: Tx, resource: type[Record], uuid: str) -> None:
    """Delete a row, if it is there, with its tags and with what is only a part of it; clear what refers to it.

    A part is a row without a name (an address, a name server, a NIC) that the declarations delete with it.
    """
    row = tx.get(resource, uuid)
    if row is None:
        return
    for cls, field, ref in tx.referrers(row):
        for child in tx.find(cls, **{field.name: uuid}):
            effect = ref.effect_on(child)
            if effect is OnDelete.SET_NULL:
                tx.update(child, **{field.name: None})
            elif effect is OnDelete.DELETE and not isinstance(child, Resource):
                remove(tx, type(child), child.uuid)
    if is_owner(tx, row):
        for belonging in tx.belongings(uuid):
            if not isinstance(belonging, Resource):
                remove(tx, type(belonging), belonging.uuid)
    tx.clear_left(row, by_force=False)
    _drop(tx, row)


def uproot(tx: Tx, row: Record) -> None:
    """Delete whatever still hangs on a row, operation or not, and clear every reference to what goes.

    A reference that cannot be empty takes its row along. What this leaves on hosts are orphans, which the
    appliance's inspection names.
    """
    tx.clear_left(row, by_force=True)
    for cls, field, ref in tx.referrers(row):
        for child in tx.find(cls, **{field.name: row.uuid}):
            current = tx.get(type(child), child.uuid)
            if current is None:
                continue
            if ref.effect_on(current) is not OnDelete.DELETE and field.nullable:
                tx.update(current, **{field.name: None})
            else:
                _uproot_whole(tx, current)
    if is_owner(tx, row):
        for belonging in tx.belongings(row.uuid):
            _uproot_whole(tx, belonging)


def is_owner(tx: Tx, row: Record) -> bool:
    """Whether rows may belong to this one: an account's row belongs to itself."""
    return tx.owner(type(row), row.uuid) == row.uuid


def _uproot_whole(tx: Tx, row: Record) -> None:
    uproot(tx, row)
    _drop(tx, row)


def _drop(tx: Tx, row: Record) -> None:
    tx.delete(row)
    for companion in tx.companions(row.uuid):
        tx.delete(companion)
