"""Changing rows: `Tx`, what a write's function is given, and `Origin`, on whose behalf it is called."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar, overload

import apsw
import msgspec

from zstack_appliance.kernel.derive.ddl import SEQUENCES
from zstack_appliance.kernel.errors import Conflict, Internal, not_found
from zstack_appliance.kernel.schema import Record, describe
from zstack_appliance.kernel.store.changelog import forget
from zstack_appliance.kernel.store.feed import Change
from zstack_appliance.kernel.store.left import clear_left, erase_sub_types
from zstack_appliance.kernel.store.reader import Reader
from zstack_appliance.kernel.store.table import Table
from zstack_appliance.kernel.store.tables import Tables

R = TypeVar("R", bound=Record)

_FIXED = frozenset({"uuid", "create_date", "last_op_date"})
_DRAW = (
    f'INSERT INTO "{SEQUENCES}" ("name", "value") VALUES (?, 1)'
    ' ON CONFLICT DO UPDATE SET "value" = "value" + 1 RETURNING "value"'
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a write comes from."""

    account: str
    """Owns what is inserted, unless the insert says otherwise."""
    job: str | None
    now: int
    """Milliseconds UTC, drawn once per write, so that a function that runs again sees the same."""
    api: str | None = None
    """ZStack's class of the call that it is part of."""


@dataclass(slots=True)
class _Touched:
    """One row that the function changed, as it was and as it is."""

    table: Table[Any]
    before: Record | None
    after: Record | None
    owner: str


class Tx(Reader):
    """The database inside one write. Everything done through it happens together or not at all.

    A row that was read or written here is remembered, so that reading it again costs nothing.
    """

    def __init__(self, connection: apsw.Connection, tables: Tables, origin: Origin) -> None:
        super().__init__(connection, tables)
        self.now = origin.now
        """Milliseconds UTC of this write."""
        self._origin = origin
        self._rows: dict[tuple[str, str], Record | None] = {}
        self._touched: dict[tuple[str, str], _Touched] = {}
        self._has_cleared = False
        self._open = True
        self._forgot = 0

    def get(self, cls: type[R], uuid: str) -> R | None:
        """The row with this key, or None; for a base class, as the sub-type that it is."""
        place = (self._tables.of(cls).name, uuid)
        if place in self._rows:
            row = self._rows[place]
            if row is None or isinstance(row, cls):
                return row
        found = super().get(cls, uuid)
        if found is not None:
            self._rows[place] = found
        return found

    def insert(self, row: R, *, owner: str | None = None) -> R:
        """Add a row and give it back as it is stored.

        Dates that are 0 become `now`, and sequence numbers that are 0 are drawn.

        Args:
            row: complete but for those.
            owner: the account that it belongs to; by default the owner of what its ``owner`` reference
                points at, else the account that the write is made for.

        Raises:
            Conflict: its uuid, or a field that must be unique, is taken.
            NotFound: what it would take its owner from does not exist.
        """
        self._check_open()
        table = self._tables.of(type(row))
        _check_kind(table, row)
        row = self._completed(table, row)
        owner = owner or self._inherited_owner(table, row) or self._origin.account
        for text, bindings in table.insert(row, owner):
            self._execute(row, text, bindings)
        self._note(table, row.uuid, None, row, owner)
        return row

    def update(self, row: R, **changes: Any) -> R:
        """Set fields of a row and give it back as it is stored.

        What counts is the stored row: fields that are not named keep their stored values, also where `row`
        is older. Nothing happens if the stored values are those already.

        Raises:
            NotFound: the row has gone.
            Conflict: a field that must be unique would not be.
            ValueError: the change names a key or a date, or a field that the class has not.
        """
        self._check_open()
        cls = type(row)
        table = self._tables.of(cls)
        wrong = _FIXED.intersection(changes) or set(changes).difference(cls.__struct_fields__)
        if wrong:
            raise ValueError(f"{cls.__name__}: cannot set {', '.join(sorted(wrong))} by an update")
        before = self.require(cls, row.uuid)
        changed = {name: value for name, value in changes.items() if getattr(before, name) != value}
        if not changed:
            return before
        changed["last_op_date"] = self.now
        after = msgspec.structs.replace(before, **changed)
        _check_kind(table, after)
        for text, bindings in table.update(row.uuid, changed):
            self._execute(after, text, bindings)
        self._note(table, row.uuid, before, after, None)
        return after

    @overload
    def delete(self, target: R) -> R | None: ...

    @overload
    def delete(self, target: type[R], uuid: str) -> R | None: ...

    def delete(self, target: R | type[R], uuid: str | None = None) -> R | None:
        """Remove a row, given itself or its class and key; give back what was removed, None if nothing was."""
        self._check_open()
        if isinstance(target, Record):
            cls, uuid = type(target), target.uuid
        else:
            cls = target
        assert uuid is not None
        row = self.get(cls, uuid)
        if row is None:
            return None
        table = self._tables.of(type(row))
        owner = self.owner(cls, uuid)
        erase_sub_types(self._connection, self._tables, row)
        for text in table.deletes:
            self._connection.execute(text, (uuid,))
        self._note(table, uuid, row, None, owner)
        return row

    def forget_changes(self, through: int, at_most: int) -> int:
        """Remove the oldest batches of the change log; see `changelog.forget`."""
        self._check_open()
        forgotten = forget(self._connection, through, at_most)
        self._forgot += forgotten
        return forgotten

    def clear_left(self, row: Record, *, by_force: bool) -> None:
        """Have rows of missing plugins make way for one that goes, as far as their declarations said.

        Args:
            row: is deleted later in this write.
            by_force: whatever they said; what may be null becomes null, the others go.
        """
        self._check_open()
        before = self._connection.total_changes()
        clear_left(self._connection, self._tables, row, by_force=by_force)
        self._has_cleared = self._has_cleared or self._connection.total_changes() != before

    # --- for the group that runs it ----------------------------------------------------------------------

    def close(self) -> None:
        """The function has ended: refuse changes from now on."""
        self._open = False

    @property
    def dirty(self) -> bool:
        """Whether anything was changed."""
        return bool(self._touched) or self._forgot > 0 or self._has_cleared

    def changes(self) -> Iterator[Change]:
        """What was done to each row, from first to last; rows of silent tables are left out."""
        for (name, key), touched in self._touched.items():
            if touched.table.silent or touched.before == touched.after:
                continue
            yield Change(
                name,
                key,
                self._shown(touched.before),
                self._shown(touched.after),
                touched.owner,
                self._origin.account,
                self._origin.job,
                self._origin.api,
            )

    @property
    def account(self) -> str:
        """On whose behalf the write is made."""
        return self._origin.account

    def touched(self) -> Iterator[tuple[str, Record | None, Record | None]]:
        """Each row that this write changes: its owner, as it was and as it is; None where there is no row."""
        for touched in self._touched.values():
            yield touched.owner, touched.before, touched.after

    def inserted_or_updated(self) -> Iterator[tuple[Table[Any], Record]]:
        """The rows that this write leaves behind."""
        for touched in self._touched.values():
            if touched.after is not None:
                yield self._tables.of(type(touched.after)), touched.after

    def deleted(self) -> Iterator[Record]:
        """The rows that this write removes."""
        for touched in self._touched.values():
            if touched.before is not None and touched.after is None:
                yield touched.before

    # --- inside ------------------------------------------------------------------------------------------

    def _completed(self, table: Table[R], row: R) -> R:
        missing: dict[str, Any] = {name: self.now for name in _DATES if getattr(row, name) == 0}
        for name in table.sequences:
            if getattr(row, name) == 0:
                [(missing[name],)] = self._connection.execute(_DRAW, (f"{table.name}.{name}",)).fetchall()
        return msgspec.structs.replace(row, **missing) if missing else row

    def _inherited_owner(self, table: Table[R], row: R) -> str | None:
        if table.owner_ref is None:
            return None
        name, target = table.owner_ref
        uuid = getattr(row, name)
        if uuid is None:
            return None
        owner = self.owner(target, uuid)
        if owner is None:
            raise not_found(describe(target).vo, uuid)
        return owner

    def _execute(self, row: Record, text: str, bindings: tuple[Any, ...]) -> None:
        try:
            self._connection.execute(text, bindings)
        except apsw.ConstraintError as error:
            _refuse(row, error)

    def _note(self, table: Table[R], uuid: str, before: R | None, after: R | None, owner: str | None) -> None:
        place = (table.name, uuid)
        self._rows[place] = after
        touched = self._touched.get(place)
        if touched is None:
            if owner is None and not table.silent:
                owner = self.owner(table.cls, uuid)
            self._touched[place] = _Touched(table, before, after, owner or self._origin.account)
        else:
            touched.after = after

    def _shown(self, row: R | None) -> R | None:
        return None if row is None else self._tables.of(type(row)).redacted(row)

    def _check_open(self) -> None:
        if not self._open:
            raise RuntimeError("this write has ended: change rows only inside the function given to write()")


_DATES = ("create_date", "last_op_date")


def _check_kind(table: Table[R], row: R) -> None:
    """A row whose discriminator named another class would be read as that class."""
    if table.kind is None or table.discriminator is None:
        return
    value = getattr(row, table.discriminator)
    value = value.value if isinstance(value, enum.Enum) else value
    if value != table.kind:
        raise ValueError(f"{table.cls.__name__}: {table.discriminator} is {value!r}, but must be {table.kind!r}")


def _refuse(row: Record, error: apsw.ConstraintError) -> NoReturn:
    """Say a failed constraint in the operator's words.

    Raises:
        Conflict: a value is taken.
        Internal: the row breaks a rule of the declaration, which validation should have caught.
    """
    resource = describe(type(row))
    kind = vars(error)["extendedresult"]
    if kind == apsw.SQLITE_CONSTRAINT_PRIMARYKEY:
        raise Conflict(f"resource[uuid:{row.uuid}, type:{resource.vo}] exists already; choose another uuid") from error
    if kind == apsw.SQLITE_CONSTRAINT_UNIQUE:
        columns = [part.rsplit(".", 1)[-1].strip() for part in str(error).rsplit(":", 1)[-1].split(",")]
        fields = [resource.field(column) for column in columns]
        named = ", ".join(f"{field.wire}[{getattr(row, field.name)}]" for field in fields)
        raise Conflict(f"a {resource.name} with {named} exists already; choose another value") from error
    raise Internal(f"{resource.name}[uuid:{row.uuid}] breaks its own declaration: {error}") from error
