"""Names carry the instance id, fit the kernel, and are recognised again."""

from __future__ import annotations

import pytest

from zstack_appliance.hostkit.marks import (
    Kind,
    interface_name,
    is_our_interface,
    is_our_namespace,
    namespace_name,
    table_name,
)

UUID = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize("kind", Kind)
def test_interfaces_fit_the_kernel_and_are_ours(kind: Kind) -> None:
    name = interface_name(kind, "ab12cd", UUID)
    assert len(name) <= 15
    assert is_our_interface(name, "ab12cd")
    assert not is_our_interface(name, "ab12ce")


def test_kinds_do_not_share_names() -> None:
    assert len({interface_name(kind, "ab12cd", UUID) for kind in Kind}) == len(Kind)


@pytest.mark.parametrize("name", ["eth0", "docker0", "virbr0", "zb", "zerotier0", "azbab12cd0123456", "ab12cd"])
def test_strangers_are_not_ours(name: str) -> None:
    assert not is_our_interface(name, "ab12cd")


def test_namespaces_and_tables_carry_the_id() -> None:
    assert is_our_namespace(namespace_name("ab12cd", UUID), "ab12cd")
    assert not is_our_namespace(namespace_name("ab12cd", UUID), "ffffff")
    assert table_name("ab12cd") == "zs_ab12cd"
