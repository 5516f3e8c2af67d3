"""Discovery, and what every built-in plugin has to be."""

from __future__ import annotations

import pytest

import zstack_appliance.cloud
from zstack_appliance.kernel.message import Request
from zstack_appliance.kernel.plugin import discover, handler_of


def test_built_in_plugins_are_ordered_and_named_once() -> None:
    names = [plugin.name for plugin in discover(zstack_appliance.cloud.__name__)]
    assert names == sorted(set(names))
    assert {"account", "host", "image", "vm_instance", "zone"} <= set(names)


def test_every_plan_can_be_kept_and_every_handler_is_one() -> None:
    for plugin in discover(zstack_appliance.cloud.__name__):
        for flow in plugin.flows:
            assert flow.plan()
        for entry in plugin.handlers:
            assert issubclass(handler_of(entry).message, Request)


def test_a_package_without_plugins_was_built_wrongly() -> None:
    with pytest.raises(RuntimeError, match="no plugin found below"):
        discover("tests.contracts")
