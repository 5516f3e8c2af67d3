"""From resource declarations to SQL: `schema_sql`, the statements that make a fresh database.

Every table is STRICT with a NOT NULL text key, so that a changeset describes each row completely. Columns are
the Python field names. A sub-type is a table of its own that shares the base's key. References are checked at
the end of a transaction, and do nothing by themselves: what deleting does is the cascade's business.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from typing import Any, Literal, get_args, get_origin

from zstack_appliance.kernel.schema import COMPANION, SECRET, SEQUENCE, Description, Field, Record, describe

OWNER = "owner_uuid"
"""The kernel's own column on every base table: the account that the row belongs to."""

BY_AGE = ("create_date", "uuid")
"""The columns of the order that rows are answered in by default."""

SEQUENCES = "kernel_sequence"
"""Table of the last number drawn for each column marked `SEQUENCE`."""

CHANGES = "kernel_change"
"""Table of what each commit changed, by the number of its batch in the change feed."""

CHANGES_OF = "kernel_change_of"
"""Table that leads from a row's uuid to the numbers of the batches that changed it."""

_KERNEL_TABLES = {
    CHANGES: (
        f'CREATE TABLE "{CHANGES}" (\n'
        '  "number" INTEGER NOT NULL PRIMARY KEY,\n'
        '  "at" INTEGER NOT NULL,\n'
        '  "body" BLOB NOT NULL\n'
        ") STRICT"
    ),
    CHANGES_OF: (
        f'CREATE TABLE "{CHANGES_OF}" (\n'
        '  "uuid" TEXT NOT NULL,\n'
        '  "number" INTEGER NOT NULL,\n'
        '  PRIMARY KEY ("uuid", "number")\n'
        ") STRICT, WITHOUT ROWID"
    ),
}

_SEQUENCE_TABLE = (
    f'CREATE TABLE "{SEQUENCES}" (\n'
    '  "name" TEXT NOT NULL PRIMARY KEY,\n'
    '  "value" INTEGER NOT NULL CHECK ("value" > 0)\n'
    ") STRICT, WITHOUT ROWID"
)

_SQL_TYPES: dict[Any, str] = {str: "TEXT", int: "INTEGER", bool: "INTEGER", float: "REAL", bytes: "BLOB"}


def schema_sql(resources: Iterable[type[Record]]) -> dict[str, tuple[str, ...]]:
    """The statements that make each table and its indexes, by table name and ordered by it.

    The order in which the resources are given makes no difference.

    Raises:
        TypeError: a declaration cannot be stored, or two resources have one table.
    """
    made: dict[str, tuple[str, ...]] = {SEQUENCES: (_SEQUENCE_TABLE,)}
    made.update((table, (statement,)) for table, statement in _KERNEL_TABLES.items())
    for resource in {describe(cls).cls: describe(cls) for cls in resources}.values():
        if resource.table in made:
            raise TypeError(f"{resource.name}: table {resource.table} is taken; give @resource another `table`")
        made[resource.table] = (_table(resource), *_indexes(resource))
    return dict(sorted(made.items()))


def script(tables: dict[str, tuple[str, ...]]) -> str:
    """The statements as one SQL file."""
    return "".join(f"{statement};\n" for statements in tables.values() for statement in statements)


def quoted(name: str) -> str:
    """An identifier that may be an SQL keyword; field names hold no quotes."""
    return f'"{name}"'


def _table(resource: Description) -> str:
    columns = [_column(resource, field) for field in resource.own_fields if field.name != "uuid"]
    if resource.base is None:
        columns.append(f"{quoted(OWNER)} TEXT NOT NULL")
    body = ",\n  ".join((_key(resource), *columns))
    return f"CREATE TABLE {quoted(resource.table)} (\n  {body}\n) STRICT"


def _key(resource: Description) -> str:
    key = '"uuid" TEXT NOT NULL PRIMARY KEY'
    return key if resource.base is None else f"{key} {_references(describe(resource.base))}"


def _column(resource: Description, field: Field) -> str:
    parts = [quoted(field.name), sql_type(resource, field)]
    if not field.nullable:
        parts.append("NOT NULL")
    allowed = _allowed(field)
    if allowed:
        parts.append(f"CHECK ({quoted(field.name)} IN ({', '.join(_literal(value) for value in allowed)}))")
    if field.ref is not None:
        if field.type is not str or field.marked(SECRET):
            raise TypeError(f"{resource.name}.{field.name}: a reference holds one uuid, readable")
        parts.append(_references(describe(field.ref.target)))
    return " ".join(parts)


def sql_type(resource: Description, field: Field) -> str:
    """The STRICT column type of a field.

    Raises:
        TypeError: its Python type has none.
    """
    if field.is_json:
        return "TEXT"
    if field.marked(SECRET) and field.type is not str:
        raise TypeError(f"{resource.name}.{field.name}: a secret is text or JSON")
    kinds = {type(value) for value in _allowed(field)} if field.type is not bool else {bool}
    found = {_SQL_TYPES.get(kind) for kind in (kinds or {field.type})}
    sql = found.pop()
    if sql is None or found:
        raise TypeError(f"{resource.name}.{field.name}: {field.type!r} has no column type; use a plain one or JSON")
    return sql


def _allowed(field: Field) -> tuple[Any, ...]:
    """The stored values of a field that takes only some; empty for any other."""
    if field.type is bool:
        return (0, 1)
    if field.enum is not None:
        return tuple(member.value for member in field.enum)
    if get_origin(field.type) is Literal:
        return get_args(field.type)
    return ()


def _literal(value: object) -> str:
    if isinstance(value, enum.Enum):
        value = value.value
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


def _references(target: Description) -> str:
    return f'REFERENCES {quoted(target.table)} ("uuid") ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED'


def _indexes(resource: Description) -> Iterator[str]:
    """Declared indexes, then one for what rows are looked up, told apart or sorted by and none of them leads with.

    What can be queried is sorted by its age unless the caller says otherwise, for an account among its own rows,
    and is mostly asked for by its name.
    """
    own = {field.name for field in resource.own_fields}
    led: set[str] = set()
    for columns, unique in _declared(resource):
        if not own.issuperset(columns):
            raise TypeError(f"{resource.name}: index over {columns}, but the table's columns are {sorted(own)}")
        led.add(columns[0])
        yield _index(resource.table, columns, unique=unique)
    for field in resource.own_fields:
        looked_up = field.ref is not None or field.marked(COMPANION) or field.marked(SEQUENCE)
        if looked_up and field.name not in led:
            yield _index(resource.table, (field.name,), unique=field.marked(SEQUENCE))
    if resource.base is not None:
        return
    queried = resource.options.path is not None
    if queried and "name" in own - led:
        yield _index(resource.table, ("name",), unique=False)
    if queried:
        yield _index(resource.table, BY_AGE, unique=False)
    if resource.options.owned:
        yield _index(resource.table, (OWNER, *BY_AGE) if queried else (OWNER,), unique=False)


def _declared(resource: Description) -> Iterator[tuple[tuple[str, ...], bool]]:
    for columns in resource.options.unique:
        yield columns, True
    for columns in resource.options.indexes:
        yield columns, False


def _index(table: str, columns: tuple[str, ...], *, unique: bool) -> str:
    kind = "UNIQUE INDEX" if unique else "INDEX"
    name = quoted(f"{table}__{'__'.join(columns)}")
    return f"CREATE {kind} {name} ON {quoted(table)} ({', '.join(map(quoted, columns))})"
