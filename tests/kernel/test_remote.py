"""Commands name their replies."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

import zstack_appliance.cloud
from zstack_appliance.kernel.plugin import discover
from zstack_appliance.kernel.remote import Command, reply_type


class Measure(Command[int], frozen=True, kw_only=True):
    path: ClassVar[str] = "measure"


def test_the_reply_is_read_from_the_base() -> None:
    assert reply_type(Measure) is int


def test_a_command_without_a_reply_is_refused() -> None:
    class Nameless(Command, frozen=True): ...  # type: ignore[type-arg] # that is what the test is about

    with pytest.raises(TypeError, match="does not name its reply"):
        reply_type(Nameless)


def test_every_command_has_a_path_of_its_own_and_a_simulated_twin() -> None:
    paths: dict[str, type[Command[Any]]] = {}
    for plugin in discover(zstack_appliance.cloud.__name__):
        assert set(plugin.host_side.real) == set(plugin.host_side.simulated), plugin.name
        for command in plugin.host_side.real:
            assert paths.setdefault(command.path, command) is command
            reply_type(command)
    assert len(paths) > 10
