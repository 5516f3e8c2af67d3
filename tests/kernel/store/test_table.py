"""A table turns calls into SQL with everything bound."""

from __future__ import annotations

import pytest

from tests.kernel.store.nouns import ALICE, NOUNS, Box, Crate, Label, Mask, Mood, Shelf, crate, shelf
from zstack_appliance.kernel.store.tables import Tables

TABLES = Tables(NOUNS, Mask())


def test_find_tests_for_equality_null_and_membership() -> None:
    text, bindings = TABLES.of(Crate).find({"mood": Mood.GOOD, "order": None, "planks": (1, 2)})
    assert text.endswith(
        ' WHERE "box"."mood" = ? AND "box"."order" IS NULL'
        ' AND "crate"."planks" IN (SELECT value FROM json_each(?))'
        ' ORDER BY "box"."create_date", "box"."uuid"'
    )
    assert bindings == ("Good", "[1,2]")


def test_find_without_conditions_reads_all() -> None:
    text, bindings = TABLES.of(Shelf).find({})
    assert text.endswith(' FROM "shelf" ORDER BY "shelf"."create_date", "shelf"."uuid"')
    assert bindings == ()


def test_one_text_serves_all_values_of_one_shape() -> None:
    table = TABLES.of(Shelf)
    assert table.find({"name": "a"})[0] is table.find({"name": "b"})[0]
    assert table.find({"name": ["a"]})[0] is table.find({"name": ["b", "c"]})[0]
    assert table.find({"name": "a"})[0] != table.count({"name": "a"})[0]


def test_what_cannot_be_searched_by_is_refused() -> None:
    table = TABLES.of(Box)
    with pytest.raises(ValueError, match=r"Box\.password is secret or JSON"):
        table.find({"password": "x"})
    with pytest.raises(ValueError, match=r"Box\.parts is secret or JSON"):
        table.find({"parts": []})
    with pytest.raises(KeyError, match="Box has no field planks"):
        table.find({"planks": 1})


def test_insert_writes_the_base_first_with_its_owner() -> None:
    (base, base_values), (own, own_values) = TABLES.of(Crate).insert(crate(), ALICE)
    assert base.startswith('INSERT INTO "box" ("uuid", ')
    assert base.count("?") == len(base_values)
    assert base_values[-1] == ALICE
    assert own == 'INSERT INTO "crate" ("uuid", "planks", "key_code") VALUES (?, ?, ?)'
    assert own_values == (crate().uuid, 7, "sealed 1174")


def test_update_goes_to_the_table_that_has_the_field() -> None:
    statements = list(TABLES.of(Crate).update("1", {"planks": 8, "mood": Mood.GOOD, "last_op_date": 5}))
    assert statements == [
        ('UPDATE "crate" SET "planks" = ? WHERE "uuid" = ?', (8, "1")),
        ('UPDATE "box" SET "mood" = ?, "last_op_date" = ? WHERE "uuid" = ?', ("Good", 5, "1")),
    ]


def test_redacted_hides_secrets_and_nothing_else() -> None:
    row = crate(password="hush")
    shown = TABLES.of(Crate).redacted(row)
    assert (shown.password, shown.key_code, shown.name) == (None, "*****", row.name)
    assert TABLES.of(Shelf).redacted(plain := shelf()) is plain


def test_it_knows_where_its_owner_comes_from() -> None:
    assert TABLES.of(Label).owner_ref == ("box_uuid", Box)
    assert TABLES.of(Shelf).owner_ref is None
