"""One resource class in the database: `Table`, which turns what callers mean into SQL, each text made once."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from zstack_appliance.kernel.derive.ddl import OWNER, quoted
from zstack_appliance.kernel.schema import SECRET, SEQUENCE, VOLATILE, Description, Record, describe, owner_ref
from zstack_appliance.kernel.store.layout import Codecs, Layout, chain_of, home_of, qualified

R = TypeVar("R", bound=Record)

Statement = tuple[str, tuple[Any, ...]]
"""SQL text and what is bound to it."""

REDACTED = "*****"
"""What stands in the change feed for a secret that may not be null."""


class Table(Generic[R]):
    """One resource class.

    Args:
        cls: the class.
        codecs: of the class itself and of every registered class below it.
    """

    def __init__(self, cls: type[R], codecs: Mapping[type[R], Codecs]) -> None:
        chain = chain_of(cls)
        fields = describe(cls).fields
        self.cls = cls
        self.name = chain[0].table
        """The base's table, which holds the key and the owner."""
        self.kind = describe(cls).options.kind
        self.discriminator = chain[0].options.discriminator
        self.local = chain[0].options.local
        self.silent = chain[0].options.silent
        self.journal = chain[0].options.journal
        self.volatile = {"lastOpDate", *(field.wire for field in fields if field.marked(VOLATILE))}
        """Wire names of the fields whose changes alone are not worth keeping."""
        self.layout = Layout(cls, codecs)
        self.refs = tuple((field, field.ref.target) for field in fields if field.ref is not None)
        owner = owner_ref(cls)
        self.owner_ref = None if owner is None or owner.ref is None else (owner.name, owner.ref.target)
        self.sequences = tuple(field.name for field in fields if field.marked(SEQUENCE))
        self.owner_sql = f'SELECT {quoted(OWNER)} FROM {quoted(self.name)} WHERE "uuid" = ?'
        self.deletes = tuple(f'DELETE FROM {quoted(part.table)} WHERE "uuid" = ?' for part in reversed(chain))
        self._codecs = codecs[cls]
        self._encoders = tuple((i, codec.encode) for i, codec in enumerate(self._codecs.values()) if codec.encode)
        self._inserts = tuple(self._insert(part) for part in chain)
        self._opaque = {field.name for field in fields if field.is_json or field.marked(SECRET)}
        self._homes = {field.name: home_of(cls, field.name) for field in fields}
        self._secrets = {f.name: None if f.nullable else REDACTED for f in fields if f.marked(SECRET)}
        self._texts: dict[object, str] = {}

    # --- reading ---------------------------------------------------------------------------------------

    def get(self, uuid: str) -> Statement:
        """Reads the row with this key."""
        return self._text("get", lambda: f"{self.layout.select} WHERE {self._column('uuid')} = ?"), (uuid,)

    def find(self, equals: Mapping[str, Any]) -> Statement:
        """Reads the rows whose fields have these values, oldest first; a collection means any of its members."""
        order = f"ORDER BY {self._column('create_date')}, {self._column('uuid')}"
        shape = ("find", *((name, _shape(value)) for name, value in equals.items()))
        text = self._text(shape, lambda: f"{self.layout.select}{self._where(equals)} {order}")
        return text, self._bindings(equals)

    def count(self, equals: Mapping[str, Any]) -> Statement:
        """Counts what `find` would read."""
        shape = ("count", *((name, _shape(value)) for name, value in equals.items()))
        text = self._text(shape, lambda: f"SELECT count(*) FROM {self.layout.source}{self._where(equals)}")
        return text, self._bindings(equals)

    def _where(self, equals: Mapping[str, Any]) -> str:
        tests = [_TESTS[_shape(value)].format(self._column(name)) for name, value in equals.items()]
        return f" WHERE {' AND '.join(tests)}" if tests else ""

    def _bindings(self, equals: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(self._binding(name, value) for name, value in equals.items() if value is not None)

    def _binding(self, name: str, value: Any) -> Any:
        if name in self._opaque:
            raise ValueError(f"{self.cls.__name__}.{name} is secret or JSON: it cannot be searched by")
        if _shape(value) != "in":
            return self._encode(name, value)
        return msgspec.json.encode([self._encode(name, member) for member in value]).decode()

    # --- writing ---------------------------------------------------------------------------------------

    def insert(self, row: R, owner: str) -> Iterator[Statement]:
        """Writes a new row, the base's table first."""
        values = list(msgspec.structs.astuple(row))
        for place, encode in self._encoders:
            if values[place] is not None:
                values[place] = encode(values[place])
        values.append(owner)
        for text, pick in self._inserts:
            yield text, pick(values)

    def update(self, uuid: str, changes: Mapping[str, Any]) -> Iterator[Statement]:
        """Sets some fields of one row."""
        homes: dict[str, list[str]] = {}
        for name in changes:
            homes.setdefault(self._homes[name], []).append(name)
        for table, names in homes.items():
            text = self._text((table, *names), functools.partial(_update, table, names))
            yield text, (*(self._encode(name, changes[name]) for name in names), uuid)

    def redacted(self, row: R) -> R:
        """The row as the change feed shows it."""
        return msgspec.structs.replace(row, **self._secrets) if self._secrets else row

    def _insert(self, part: Description) -> tuple[str, Callable[[Any], tuple[Any, ...]]]:
        """The statement for one table of the chain, and what it takes of the row with its owner at the end."""
        fields = ["uuid", *(field.name for field in part.own_fields if field.name != "uuid")]
        places = [tuple(self._codecs).index(name) for name in fields]
        if part.base is None:
            fields.append(OWNER)
            places.append(len(self._codecs))
        columns = ", ".join(map(quoted, fields))
        text = f"INSERT INTO {quoted(part.table)} ({columns}) VALUES ({', '.join('?' * len(fields))})"
        # With one column, itemgetter would give a bare value.
        return text, operator.itemgetter(*places) if len(places) > 1 else lambda values: (values[places[0]],)

    # --- texts -----------------------------------------------------------------------------------------

    def _column(self, name: str) -> str:
        return qualified(self.cls, name)

    def _encode(self, name: str, value: Any) -> Any:
        encode = self._codecs[name].encode
        return value if encode is None or value is None else encode(value)

    def _text(self, shape: object, make: Callable[[], str]) -> str:
        text = self._texts.get(shape)
        if text is None:
            text = self._texts[shape] = make()
        return text


_TESTS = {"null": "{} IS NULL", "equal": "{} = ?", "in": "{} IN (SELECT value FROM json_each(?))"}


def _shape(value: Any) -> str:
    if value is None:
        return "null"
    return "in" if isinstance(value, (tuple, list, set, frozenset)) else "equal"


def _update(table: str, names: list[str]) -> str:
    return f'UPDATE {quoted(table)} SET {", ".join(f"{quoted(name)} = ?" for name in names)} WHERE "uuid" = ?'
