"""What a router is told of its guests: one lease a NIC, names that fit DNS, no name twice."""

from __future__ import annotations

import pytest

from zstack_appliance.cloud.network_service.namespace_router.desired import ServedNic, label_of, leases


def nic(name: str, last: int = 5, tag: str | None = None) -> ServedNic:
    """A NIC of a VM with this name."""
    return ServedNic(f"fa:00:00:00:00:{last:02x}", f"10.0.0.{last}", name, default_network=True, hostname_tag=tag)


@pytest.mark.parametrize(
    ("name", "tag", "label"),
    [("web", None, "web"), ("My VM", None, "my-vm"), ("数据", None, None), ("web", "hostname::db.example", "db")],
)
def test_labels(name: str, tag: str | None, label: str | None) -> None:
    """DNS wants letters, digits and hyphens."""
    assert label_of(nic(name, tag=tag)) == label


def test_a_name_that_two_vms_have_goes_to_the_first() -> None:
    """Both get their address; DNS stays unambiguous."""
    found = leases([nic("web", 5), nic("web", 6)])
    assert [(lease.ip, lease.hostname) for lease in found] == [("10.0.0.5", "web"), ("10.0.0.6", None)]
