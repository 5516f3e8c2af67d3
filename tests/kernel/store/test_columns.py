"""Each kind of value survives the way into a column and back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kernel.store.nouns import Box, Crate, Mask, Mood, Part
from zstack_appliance.kernel.schema import OnOff, describe
from zstack_appliance.kernel.store.columns import codec_of


def stored(value: Any, name: str) -> Any:
    encode = codec_of(describe(Crate).field(name), Mask()).encode
    return value if encode is None else encode(value)


@pytest.mark.parametrize(
    ("name", "value", "column"),
    [
        ("name", "n", "n"),
        ("order", 3, 3),
        ("weight", 1.5, 1.5),
        ("heavy", True, 1),
        ("state", OnOff.ENABLED, "Enabled"),
        ("mood", Mood.BAD, "It's bad"),
        ("parts", [Part(1)], '[{"size":1,"label":null}]'),
        ("key_code", "4711", "sealed 1174"),
    ],
)
def test_there_and_back(name: str, value: Any, column: Any) -> None:
    assert stored(value, name) == column
    decode = codec_of(describe(Crate).field(name), Mask()).decode
    back = column if decode is None else decode(column)
    assert (back, type(back)) == (value, type(value))


def test_a_secret_needs_a_sealer() -> None:
    with pytest.raises(TypeError, match="field password is secret: open the store with a sealer"):
        codec_of(describe(Box).field("password"), None)
