"""What a guest is told of itself: its host name, keys and user data, from its row and tags."""

from __future__ import annotations

import base64

import pytest

from tests.cloud import rows
from zstack_appliance.cloud.vm_instance.hypervisor import hostname_of, seed_of


@pytest.mark.parametrize(
    ("name", "tags", "hostname"),
    [
        ("web", [], "web"),
        ("Web Server #1", [], "web-server-1"),
        ("--", [], f"vm-{rows.uuid('--')[:8]}"),
        ("数据库", [], f"vm-{rows.uuid('数据库')[:8]}"),
        ("x" * 200, [], "x" * 63),
        ("web", ["hostname::db.example"], "db.example"),
    ],
)
def test_host_names_fit_dns_whatever_the_vm_is_called(name: str, tags: list[str], hostname: str) -> None:
    """A tag wins; else the name, as far as DNS takes it; else the uuid."""
    assert hostname_of(rows.vm(name), tags) == hostname


def test_the_seed_carries_key_and_user_data() -> None:
    """User data arrives as it was before base64."""
    script = "#!/bin/sh\necho hallo > /tmp/x\n"
    tags = [f"userdata::{base64.b64encode(script.encode()).decode()}", "sshkey::ssh-ed25519 AAAA me@home"]
    seed = seed_of(rows.vm(), tags)
    assert (seed.user_data, seed.ssh_keys) == (script, ("ssh-ed25519 AAAA me@home",))
