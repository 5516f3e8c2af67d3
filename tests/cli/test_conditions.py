"""Conditions as people write them."""

from __future__ import annotations

import pytest

from zstack_appliance.cli.conditions import condition
from zstack_appliance.cli.exits import CliError


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("name=web", "name=web"),
        ("hostUuid=null", "hostUuid is null"),
        ("hostUuid!=null", "hostUuid not null"),
        ("hostUuid is null", "hostUuid is null"),
        ("name~=null", "name~=null"),
        ("state?=Running,null", "state?=Running,null"),
    ],
)
def test_null_is_sugar(text: str, sent: str) -> None:
    assert condition(text) == sent


def test_without_an_operator_it_is_none() -> None:
    with pytest.raises(CliError, match="operator"):
        condition("name")
