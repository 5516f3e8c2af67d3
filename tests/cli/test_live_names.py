"""Names that come from an appliance."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import AS_ROOT, Simulated
from zstack_appliance.cli.declared import find_resource
from zstack_appliance.cli.live_names import LiveNames


@AS_ROOT
def test_what_begins_so_is_found_and_an_underscore_is_no_wildcard(simulated: Simulated) -> None:
    names = LiveNames.of({"data": simulated.data}, {})
    assert [each.name for each in names.begin(find_resource("InstanceOffering"), "sm", "name")] == ["small"]
    assert list(names.begin(find_resource("InstanceOffering"), "s_", "name")) == []
    (zone,) = names.begin(find_resource("Zone"), "zone1", "name")
    assert [each.name for each in names.begin(find_resource("Zone"), zone.uuid[:9], "uuid")] == ["zone1"]


@AS_ROOT
def test_what_has_no_name_is_not_asked_for(simulated: Simulated) -> None:
    assert list(LiveNames.of({"data": simulated.data}, {}).begin(find_resource("VmNic"), "", "name")) == []


def test_nobody_there_is_no_error(tmp_path: Path) -> None:
    for options in ({"data": tmp_path}, {"url": "ftp://nonsense"}, {"url": "127.0.0.1:1"}):
        assert list(LiveNames.of(options, {}).begin(find_resource("Zone"), "", "name")) == []
