"""What is served of the scope is what has a handler, and everything in scope is counted once."""

from __future__ import annotations

from dataclasses import replace

from tests.running import every_plugin
from zstack_appliance.cli.coverage import coverage, scope, served
from zstack_appliance.kernel.plugin import handler_of

CREATE_ZONE = "org.zstack.header.zone.APICreateZoneMsg"
QUERY_ZONE = "org.zstack.header.zone.APIQueryZoneMsg"


def test_everything_in_scope_is_counted_once() -> None:
    names = [name for classes in scope().values() for name in classes]
    assert len(names) == len(set(names)) > 400
    parts = list(coverage(every_plugin()))
    assert sorted(name for part in parts for name in (*part.served, *part.missing)) == sorted(names)
    assert [part.part for part in parts] == sorted(scope())


def test_served_is_what_has_a_handler_or_can_be_queried() -> None:
    [zones] = (part for part in coverage(every_plugin()) if part.part == "zones")
    assert {CREATE_ZONE, QUERY_ZONE} <= set(zones.served)
    assert not zones.missing or CREATE_ZONE not in zones.missing


def test_what_nobody_handles_is_missing() -> None:
    lame = tuple(
        replace(
            plugin,
            handlers=tuple(each for each in plugin.handlers if handler_of(each).message.__name__ != "CreateZone"),
        )
        for plugin in every_plugin()
    )
    assert CREATE_ZONE not in served(lame)
    assert CREATE_ZONE in next(part for part in coverage(lame) if part.part == "zones").missing
    assert not any(part.served for part in coverage(()))
