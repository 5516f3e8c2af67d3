"""Who sees a row, before and after a commit: `Shares` (what is shared with whom, at one moment) and `Sight`."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.schema import Record, describe, owner_ref, root_of
from zstack_appliance.kernel.sharing import SharedResource
from zstack_appliance.kernel.store import Change

PUBLIC = ""
"""Stands for every account in what `Shares` gives."""

NOBODY: frozenset[str] = frozenset()

TABLE = describe(SharedResource).table


class Shares:
    """What is shared with whom, moved from commit to commit in either direction.

    Args:
        rows: every share at one moment.
    """

    def __init__(self, rows: Iterable[SharedResource] = ()) -> None:
        self._receivers: dict[str, dict[str, str]] = {}
        for row in rows:
            self._add(row)

    def of(self, uuid: str) -> frozenset[str]:
        """The accounts that a row is shared with; `PUBLIC` among them means all."""
        found = self._receivers.get(uuid)
        return NOBODY if found is None else frozenset(found.values())

    def copy(self) -> Shares:
        """The same, to be moved by itself."""
        other = Shares()
        other._receivers = {uuid: dict(found) for uuid, found in self._receivers.items()}
        return other

    def apply(self, change: Change) -> None:
        """Go on by one change; one of another table changes nothing."""
        self._replace(change.before, change.after)

    def undo(self, change: Change) -> None:
        """Go back by one change."""
        self._replace(change.after, change.before)

    def _replace(self, old: Record | None, new: Record | None) -> None:
        if isinstance(old, SharedResource):
            found = self._receivers.get(old.resource_uuid, {})
            found.pop(old.uuid, None)
            if not found:
                self._receivers.pop(old.resource_uuid, None)
        if isinstance(new, SharedResource):
            self._add(new)

    def _add(self, row: SharedResource) -> None:
        receiver = PUBLIC if row.to_public else row.receiver_account_uuid or row.owner_account_uuid
        self._receivers.setdefault(row.resource_uuid, {})[row.uuid] = receiver


@dataclass(frozen=True, slots=True)
class Sight:
    """Who sees one row at one moment."""

    root: type[Record]
    """The row's base class."""
    owner: str
    shared: frozenset[str]

    def holds(self, principal: Principal) -> bool:
        """Whether the principal sees it."""
        if principal.admin or root_of(self.root).options.readable:
            return True
        if has_owner(self.root) and self.owner == principal.account_uuid:
            return True
        if not self.shared or not root_of(self.root).options.shareable:
            return False
        return PUBLIC in self.shared or principal.account_uuid in self.shared


@functools.cache
def has_owner(root: type[Record]) -> bool:
    """Whether rows of a base class belong to accounts; rows of others are administrators' alone."""
    return root_of(root).options.owned or owner_ref(root) is not None
