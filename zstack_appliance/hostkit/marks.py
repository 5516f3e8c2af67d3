"""The names of what the appliance makes in a host's network: each carries the instance id.

Primitives: `interface_name`, `namespace_name`, `table_name`, and `is_our_interface`, `is_our_namespace`,
which recognise them again. Whatever does not carry the id is a stranger's and is never touched.
"""

from __future__ import annotations

import re
from enum import StrEnum

_SHORT = 7
"""Digits of a uuid in a name: what the kernel's 15 characters leave beside ``z``, the kind and the id."""


class Kind(StrEnum):
    """What an interface is, as one letter of its name."""

    BRIDGE = "b"
    """The bridge of an L2 network."""
    LAN = "i"
    """The host's end of a router's link into its own L2 network."""
    WAN = "o"
    """The host's end of a router's link into the public L2 network."""
    TAP = "t"
    """The host's end of a VM's NIC."""


def interface_name(kind: Kind, instance: str, uuid: str) -> str:
    """Name an interface after the resource that it serves, such as ``zbab12cd0123456``.

    Two resources whose uuids begin alike would get one name, so whoever makes the interface stores the
    whole uuid as its alias and refuses an interface with another one.

    Args:
        kind: what it is.
        instance: six hexadecimal digits.
        uuid: of the L2 network, L3 network or NIC.
    """
    return f"z{kind.value}{instance}{uuid[:_SHORT]}"


def namespace_name(instance: str, uuid: str) -> str:
    """Name a router's network namespace after its L3 network, such as ``zs-ab12cd-0123456``."""
    return f"zs-{instance}-{uuid[:_SHORT]}"


def table_name(instance: str) -> str:
    """Name the nftables tables, such as ``zs_ab12cd``; rules elsewhere carry it as their comment."""
    return f"zs_{instance}"


def is_our_interface(name: str, instance: str) -> bool:
    """Whether an interface carries this instance's id, whatever kind it is."""
    return re.fullmatch(f"z[a-z]{re.escape(instance)}[0-9a-f.]*", name) is not None


def is_our_namespace(name: str, instance: str) -> bool:
    """Whether a network namespace carries this instance's id."""
    return name.startswith(f"zs-{instance}-")
