"""What comes over the wire is checked for its form before anything uses it."""

from __future__ import annotations

import msgspec
import pytest

from zstack_appliance.cloud.l2_network.wire import ApplyBridge, bridge_name

UUID = "0123456789abcdef0123456789abcdef"


def test_a_bridge_is_named_after_the_appliance_and_the_network() -> None:
    assert bridge_name("ab12cd", UUID) == "zbab12cd0123456"


@pytest.mark.parametrize(
    "change",
    [
        {"mtu": 500},
        {"mtu": 70_000},
        {"l2NetworkUuid": "short"},
        {"physicalInterface": "eth0 up\nlink delete dev eth1"},
        {"physicalInterface": "longer-than-any-kernel-takes"},
        {"physicalInterface": "eth0\n"},
    ],
)
def test_what_has_the_wrong_form_does_not_get_in(change: dict[str, object]) -> None:
    body = msgspec.json.encode({"l2NetworkUuid": UUID, **change})
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=ApplyBridge)
