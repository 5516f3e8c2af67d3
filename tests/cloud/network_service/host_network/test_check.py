"""A description of a host's network that cannot be followed is refused with every reason."""

from __future__ import annotations

from zstack_appliance.cloud.network_service.host_network.check import faults
from zstack_appliance.cloud.network_service.host_network.wire import ApplyHostNetwork, PublicNetwork

OURS = "zbab12cd2222222"


def _faults(*networks: tuple[str, str]) -> list[str]:
    public = tuple(PublicNetwork(bridge=bridge, subnet=subnet) for bridge, subnet in networks)
    return faults(ApplyHostNetwork(public=public), "ab12cd")


def test_sound_networks_have_no_faults() -> None:
    assert _faults() == []
    assert _faults((OURS, "172.30.0.0/24")) == []


def test_every_fault_is_named() -> None:
    assert len(_faults(("docker0", "172.30.0.0/24"), (OURS, "172.30.0.1/24"), (OURS, "172.30.0.0/40"))) == 3
