"""How much an account may have: `Quota` (a declared limit) and `Quotas`, which holds every write against it.

A quota counts rows of one resource, or sums one of their columns, by the account that owns them. It is checked
at the end of each write that adds to the count, inside its commit, so that no two requests can both take the
last place. What lowers the count always passes, also above the limit.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zstack_appliance.kernel.config import GlobalConfig
from zstack_appliance.kernel.derive.ddl import OWNER, quoted
from zstack_appliance.kernel.errors import Forbidden
from zstack_appliance.kernel.schema import Record, root_of

if TYPE_CHECKING:
    from zstack_appliance.kernel.store.reader import Reader
    from zstack_appliance.kernel.store.tx import Tx

CATEGORY = "quota"
"""The category of the global configurations that hold the defaults, as in ZStack."""


@dataclass(frozen=True)
class Quota:
    """A limit for each account.

    Args:
        name: ZStack's, such as ``vm.num``.
        default: what a new account gets, unless the global configuration of that name says otherwise.
        description: what is limited, for the operator.
        resource: whose rows count.
        column: the integer field to sum; None counts the rows.
        where: fields to the values that a row must have one of to count, enum members as such.
    """

    name: str
    default: int
    description: str
    resource: type[Record]
    column: str | None = None
    where: Mapping[str, tuple[enum.Enum, ...]] = field(default_factory=dict)

    @property
    def config(self) -> GlobalConfig:
        """The setting that holds the default."""
        return GlobalConfig(CATEGORY, self.name, str(self.default), self.description, int, low=1)

    def weight(self, row: Record | None) -> int:
        """What one row adds to its owner's usage."""
        if row is None or not isinstance(row, self.resource):
            return 0
        if any(getattr(row, name) not in values for name, values in self.where.items()):
            return 0
        return 1 if self.column is None else int(getattr(row, self.column) or 0)

    def used(self, reader: Reader, account: str) -> int:
        """What an account has now."""
        amount = "count(*)" if self.column is None else f"coalesce(sum({quoted(self.column)}), 0)"
        text = f"SELECT {amount} FROM {quoted(root_of(self.resource).table)} WHERE {quoted(OWNER)} = ?"
        bindings: list[Any] = [account]
        for name, values in self.where.items():
            text += f" AND {quoted(name)} IN ({', '.join('?' * len(values))})"
            bindings += [value.value for value in values]
        [(number,)] = reader.select(text, tuple(bindings))
        return int(number)


Limit = Callable[["Reader", str, str], int | None]
"""``limit(reader, account, name)``: what an account may have of a quota; None for one that has no limits."""


class Quotas:
    """Every declared quota.

    Args:
        declared: of all plugins.
        limit: looks an account's limit up.
        exempt: the account for which no limit holds when it acts, whoever owns what it changes.

    Raises:
        ValueError: two quotas have one name.
    """

    def __init__(self, declared: Iterable[Quota], limit: Limit, exempt: str) -> None:
        self.declared: dict[str, Quota] = {}
        for quota in declared:
            if self.declared.setdefault(quota.name, quota) is not quota:
                raise ValueError(f"two quotas are named {quota.name}")
        self._limit = limit
        self._exempt = exempt

    def check(self, tx: Tx) -> None:
        """Refuse a write that takes an account above a limit; the store calls this at the end of each write.

        Raises:
            Forbidden: with code ``ID.1003`` and the numbers.
        """
        if tx.account == self._exempt:
            return
        added: dict[tuple[str, str], int] = {}
        for owner, before, after in tx.touched():
            for quota in self.declared.values():
                more = quota.weight(after) - quota.weight(before)
                if more:
                    added[owner, quota.name] = added.get((owner, quota.name), 0) + more
        for (owner, name), more in added.items():
            if more > 0:
                self._refuse_above(tx, owner, self.declared[name], more)

    def _refuse_above(self, tx: Tx, account: str, quota: Quota, more: int) -> None:
        limit = self._limit(tx, account, quota.name)
        if limit is None:
            return
        used = quota.used(tx, account)
        if used > limit:
            raise Forbidden(
                f"quota exceeding: account[uuid:{account}] may have {limit} of quota[name:{quota.name}], has"
                f" {used - more} and asks for {more} more; free some, or have an administrator raise the quota",
                code="ID.1003",
            )
