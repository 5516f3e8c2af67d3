"""A layout reads a class through as many tables as it has, and a base as its sub-types."""

from __future__ import annotations

import pytest

from tests.kernel.store.nouns import Box, Crate, Mask, Shelf, Tin
from zstack_appliance.kernel.schema import Record, describe
from zstack_appliance.kernel.store.columns import codec_of
from zstack_appliance.kernel.store.layout import Layout, chain_of, home_of, qualified


def layout(*classes: type[Record]) -> Layout[Record]:
    return Layout(classes[0], {cls: {f.name: codec_of(f, Mask()) for f in describe(cls).fields} for cls in classes})


def test_a_plain_class_reads_one_table() -> None:
    assert layout(Shelf).source == '"shelf"'
    assert layout(Shelf).select.startswith('SELECT "shelf"."uuid", ')


def test_a_sub_type_needs_a_row_in_each_table() -> None:
    assert layout(Crate).source == '"box" JOIN "crate" ON "crate"."uuid" = "box"."uuid"'


def test_a_base_also_reads_the_rows_that_are_of_no_sub_type() -> None:
    assert layout(Box, Crate, Tin).source == (
        '"box" LEFT JOIN "crate" ON "crate"."uuid" = "box"."uuid" LEFT JOIN "tin" ON "tin"."uuid" = "box"."uuid"'
    )


def test_a_row_becomes_what_its_discriminator_names() -> None:
    reads = layout(Box, Crate, Tin)
    columns = reads.select.removeprefix("SELECT ").split(" FROM ")[0].split(", ")
    values = {
        "uuid": "1", "create_date": 1, "last_op_date": 1, "name": "n", "shelf_uuid": "2", "kind": "Crate",
        "state": "Enabled", "mood": "Good", "colour": "red", "heavy": 0, "weight": 1.0, "parts": "[]",
        "number": 1, "planks": 7, "key_code": "sealed 1",
    }  # fmt: skip

    def read(kind: str) -> Record:
        row = values | {"kind": kind}
        return reads.decode(tuple(row.get(column.split(".")[1].strip('"')) for column in columns))

    assert isinstance(made := read("Crate"), Crate)
    assert (made.planks, made.heavy) == (7, False)
    assert type(read("Tin")) is Tin
    assert type(read("Plugin that was removed")) is Box


def test_chain_home_and_qualified_name() -> None:
    assert [part.cls for part in chain_of(Crate)] == [Box, Crate]
    assert home_of(Crate, "planks") == "crate"
    assert home_of(Crate, "uuid") == "box"
    assert qualified(Crate, "order") == '"box"."order"'
    with pytest.raises(KeyError, match="Crate has no field nonsense"):
        home_of(Crate, "nonsense")
