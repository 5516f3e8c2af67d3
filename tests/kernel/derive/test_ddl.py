"""The derived tables are those that the declarations mean, and SQLite keeps their rules."""

from __future__ import annotations

from typing import Annotated, Any

import apsw
import pytest

from tests.kernel.store.nouns import NOUNS, WIRE, Box, Crate, Shelf
from zstack_appliance.kernel.derive.ddl import schema_sql, script
from zstack_appliance.kernel.schema import COMPANION, SECRET, Record, Ref, resource


def database() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(script(schema_sql(NOUNS)))
    return connection


def test_a_table_has_the_fields_as_columns_and_an_owner() -> None:
    table = (
        'CREATE TABLE "shelf" (\n'
        '  "uuid" TEXT NOT NULL PRIMARY KEY,\n'
        '  "create_date" INTEGER NOT NULL,\n'
        '  "last_op_date" INTEGER NOT NULL,\n'
        '  "name" TEXT NOT NULL,\n'
        '  "description" TEXT,\n'
        '  "owner_uuid" TEXT NOT NULL\n'
        ") STRICT"
    )
    assert schema_sql([Shelf])["shelf"] == (table, 'CREATE UNIQUE INDEX "shelf__name" ON "shelf" ("name")')


def test_a_sub_type_has_its_own_columns_and_the_bases_key() -> None:
    (table,) = schema_sql(NOUNS)["crate"]
    assert table == (
        'CREATE TABLE "crate" (\n'
        '  "uuid" TEXT NOT NULL PRIMARY KEY REFERENCES "box" ("uuid")'
        " ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED,\n"
        '  "planks" INTEGER NOT NULL,\n'
        '  "key_code" TEXT NOT NULL\n'
        ") STRICT"
    )


def test_every_table_is_strict_and_keyed() -> None:
    for name, (table, *_) in schema_sql(NOUNS).items():
        assert "STRICT" in table.rsplit(")", 1)[1], name
        # The kernel's own tables may be keyed by a number, or by two columns.
        assert ("PRIMARY KEY" if name.startswith("kernel_") else "TEXT NOT NULL PRIMARY KEY") in table, name
        assert "AUTOINCREMENT" not in table, name


def test_references_owner_and_sequence_are_indexed_once() -> None:
    indexes = schema_sql(NOUNS)["box"][1:]
    assert indexes == (
        'CREATE INDEX "box__mood__kind" ON "box" ("mood", "kind")',
        'CREATE INDEX "box__shelf_uuid" ON "box" ("shelf_uuid")',
        'CREATE UNIQUE INDEX "box__number" ON "box" ("number")',
        'CREATE INDEX "box__owner_uuid" ON "box" ("owner_uuid")',
    )


@resource(wire=WIRE)
class Sticker(Record, frozen=True, kw_only=True):
    """Goes with a row of any table."""

    on_uuid: Annotated[str, COMPANION]


def test_what_goes_with_another_row_is_found_by_it() -> None:
    assert schema_sql([Sticker])["sticker"][1:] == ('CREATE INDEX "sticker__on_uuid" ON "sticker" ("on_uuid")',)


def test_the_order_of_the_declarations_does_not_matter() -> None:
    assert script(schema_sql(NOUNS)) == script(schema_sql(reversed(NOUNS)))


@pytest.mark.parametrize(
    ("column", "bad"),
    [("state", "Off"), ("mood", "BAD"), ("colour", "green"), ("heavy", 2), ("weight", "much"), ("name", None)],
)
def test_a_value_that_the_declaration_excludes_is_refused(column: str, bad: object) -> None:
    values: dict[str, Any] = {
        "uuid": "1", "create_date": 0, "last_op_date": 0, "name": "n", "shelf_uuid": "s", "kind": "Tin",
        "state": "Enabled", "mood": "It's bad", "colour": "red", "heavy": 1, "weight": 1.0, "parts": "[]",
        "number": 1, "owner_uuid": "o",
    }  # fmt: skip
    connection = database()
    columns, places = ", ".join(values), ", ".join("?" * len(values))
    insert = f"INSERT INTO box ({columns}) VALUES ({places})"
    connection.execute("BEGIN")
    connection.execute(insert, tuple(values.values()))
    values |= {"uuid": "2", "number": 2, column: bad}
    with pytest.raises(apsw.ConstraintError):
        connection.execute(insert, tuple(values.values()))
    connection.execute("ROLLBACK")


def test_references_are_checked_at_the_end_of_the_transaction() -> None:
    connection = database()
    connection.execute("BEGIN; INSERT INTO label VALUES ('1', 0, 0, 'nowhere', 't', 'o')")
    with pytest.raises(apsw.ConstraintError, match="FOREIGN KEY"):
        connection.execute("COMMIT")


@resource(wire=WIRE)
class Odd(Record, frozen=True, kw_only=True):
    """A column of no type that SQLite has."""

    what: complex


@resource(wire=WIRE)
class SecretNumber(Record, frozen=True, kw_only=True):
    """A secret that would not be text once it is sealed."""

    pin: Annotated[int, SECRET]


@resource(wire=WIRE)
class SecretReference(Record, frozen=True, kw_only=True):
    """A reference that SQL could not follow."""

    box_uuid: Annotated[str, Ref(Box), SECRET]


@resource(wire=WIRE, table="shelf")
class Rack(Record, frozen=True, kw_only=True):
    """Takes the table of another."""


@resource(wire=WIRE, kind="Deep", indexes=(("name",),))
class Deep(Box, frozen=True, kw_only=True):
    """Indexes a column that its base's table has."""


@pytest.mark.parametrize(
    ("nouns", "complaint"),
    [
        ([Odd], "Odd.what: .* has no column type"),
        ([SecretNumber], "SecretNumber.pin: a secret is text"),
        ([SecretReference], "SecretReference.box_uuid: a reference holds one uuid"),
        ([Shelf, Rack], "Rack: table shelf is taken"),
        ([Box, Deep], r"Deep: index over \('name',\)"),
    ],
)
def test_what_cannot_be_stored_is_refused(nouns: list[type[Record]], complaint: str) -> None:
    with pytest.raises(TypeError, match=complaint):
        schema_sql(nouns)


def test_a_class_listed_twice_is_one_table() -> None:
    assert schema_sql([Crate, Crate, Box]) == schema_sql([Box, Crate])
