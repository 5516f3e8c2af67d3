"""What only one plugin may bring."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import pytest

from tests.running import every_plugin
from zstack_appliance.cloud.zone.plugin import plugin as zone
from zstack_appliance.kernel.claims import claims, refuse_clashes
from zstack_appliance.kernel.config import GlobalConfig
from zstack_appliance.kernel.flow import Context, Flow
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.tag import SystemTag


class Driver(Protocol):
    """Any driver."""


RACK = Plugin(
    name="rack",
    flows=(Flow("rack.fill", Context, lambda: ()),),
    drivers={(Driver, "Steel"): object},
    configs=(GlobalConfig("rack", "height", "42", "Units."),),
    tags=(SystemTag("ZoneVO", "rack::{name}", "Where it stands."),),
)


def test_the_built_in_ones_go_together() -> None:
    refuse_clashes(every_plugin())


def test_what_a_plugin_takes() -> None:
    assert list(claims(RACK)) == [
        "the name rack",
        "the flow rack.fill",
        "the driver Driver for type Steel",
        "the setting rack.height",
        "the system tag rack::{name} on ZoneVO",
    ]
    assert {"the table zone", "the resource type ZoneVO"} < set(claims(zone))


@pytest.mark.parametrize("field", ["flows", "drivers", "configs", "tags"])
def test_the_second_is_refused(field: str) -> None:
    second = dataclasses.replace(Plugin(name="shelf"), **{field: getattr(RACK, field)})
    with pytest.raises(ValueError, match=r"shelf brings the .*, which rack brings already"):
        refuse_clashes((RACK, second))
