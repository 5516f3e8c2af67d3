"""What comes over the wire is checked for its form: it ends up in rules."""

from __future__ import annotations

import msgspec
import pytest

from zstack_appliance.cloud.network_service.host_network.wire import ApplyHostNetwork, PublicNetwork

NETWORK = PublicNetwork(bridge="zbab12cd2222222", subnet="172.30.0.0/24")


def test_networks_survive_the_wire() -> None:
    command = ApplyHostNetwork(public=(NETWORK,))
    assert msgspec.json.decode(msgspec.json.encode(command), type=ApplyHostNetwork) == command


@pytest.mark.parametrize(
    "network",
    [
        {"bridge": "zb1", "subnet": "172.30.0.0/24 accept"},
        {"bridge": "zb1", "subnet": "172.30.0.0/24\n"},
        {"bridge": 'zb1" accept', "subnet": "172.30.0.0/24"},
        {"bridge": "", "subnet": "172.30.0.0/24"},
    ],
)
def test_what_has_the_wrong_form_does_not_get_in(network: dict[str, str]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode({"public": [network]}), type=ApplyHostNetwork)
