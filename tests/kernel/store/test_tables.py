"""All tables together: who refers to whom, and what must not be registered."""

from __future__ import annotations

from typing import Annotated

import pytest

from tests.kernel.store.nouns import NOUNS, WIRE, Box, Crate, Label, Mask, Note, Shelf, Tin
from zstack_appliance.kernel.schema import Record, Ref, resource
from zstack_appliance.kernel.store.tables import Tables

TABLES = Tables(NOUNS, Mask())


def test_an_unregistered_class_is_refused() -> None:
    with pytest.raises(LookupError, match="Label is not stored here: list it in its Plugin's resources"):
        Tables([Shelf]).of(Label)


def test_referrers_of_a_sub_type_include_those_of_its_base() -> None:
    assert {(table.cls, field.name) for table, field in TABLES.referrers(Tin)} == {(Label, "box_uuid")}
    assert {table.cls for table, _ in TABLES.referrers(Shelf)} == {Box, Crate, Tin}


def test_a_table_leads_back_to_the_base_class() -> None:
    assert TABLES.root_class("crate") is Box
    assert TABLES.root_class("shelf") is Shelf
    assert TABLES.root_class("kernel_sequence") is None


def test_local_tables_are_not_replicated() -> None:
    assert set(TABLES.replicated()) == {"kernel_sequence", "shelf", "box", "crate", "tin", "label", "pulse"}


def test_the_digest_names_the_schema() -> None:
    assert TABLES.digest == Tables(reversed(NOUNS), Mask()).digest
    assert TABLES.digest != Tables([Shelf]).digest


@resource(wire=WIRE)
class Reminder(Record, frozen=True, kw_only=True):
    """Refers to what other nodes do not have."""

    note_uuid: Annotated[str, Ref(Note)]


@resource(wire=WIRE)
class Nameless(Box, frozen=True, kw_only=True):
    """A sub-type that no discriminator value names."""


@pytest.mark.parametrize(
    ("nouns", "complaint"),
    [
        ([Label], "Label.box_uuid refers to Box, which no plugin lists"),
        ([Crate, Shelf], "Crate.base refers to Box, which no plugin lists"),
        ([Note, Reminder], "Reminder.note_uuid refers to Note, which other nodes do not have"),
        ([Shelf, Box, Nameless], "Nameless is a sub-type: give it a `kind`"),
    ],
)
def test_what_would_fail_later_is_refused_at_once(nouns: list[type[Record]], complaint: str) -> None:
    with pytest.raises(TypeError, match=complaint):
        Tables(nouns, Mask())
