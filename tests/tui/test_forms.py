"""What a form asks for, in which order."""

from __future__ import annotations

from zstack_appliance.cli.declared import apis, find_api
from zstack_appliance.kernel.schema import fields_of
from zstack_appliance.kernel.unserved import UNSERVED
from zstack_appliance.tui.forms import ordered


def test_required_parameters_come_first_and_known_ones_are_not_asked_for() -> None:
    asked = [field.wire for field in ordered(find_api("CreateVmInstance"), {})]
    assert asked[0] == "name"
    assert asked[-4:] == ["resourceUuid", "tagUuids", "systemTags", "userTags"]
    assert "uuid" not in [field.wire for field in ordered(find_api("StopVmInstance"), {"uuid": "1"})]


def test_nothing_is_asked_for_that_is_not_served() -> None:
    for message in apis():
        assert not [field for field in ordered(message, {}) if field.marked(UNSERVED)]
        required = [field for field in fields_of(message) if field.required]
        assert ordered(message, {})[: len(required)] == sorted(required, key=lambda field: field.wire != "name")
