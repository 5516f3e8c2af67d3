"""Tell the service manager how far we are: `notify`."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


def notify(state: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Send a line such as ``READY=1`` to who started us, if it is systemd and asked for it.

    Returns:
        Whether it was sent; a service manager that does not listen is no reason to fail.
    """
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    # systemd writes the null byte of an abstract name as @.
    where = f"\0{address[1:]}" if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as door:
        try:
            door.connect(where)
            door.sendall(state.encode())
        except OSError:
            return False
    return True
