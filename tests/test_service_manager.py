"""What systemd hears, if it listens."""

from __future__ import annotations

import socket
from pathlib import Path

from zstack_appliance.service_manager import notify


def test_systemd_hears_it(tmp_path: Path) -> None:
    for address in (str(tmp_path / "notify"), "@zstack-appliance-test-notify"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
            door.bind(address.replace("@", "\0"))
            assert notify("READY=1", {"NOTIFY_SOCKET": address})
            assert door.recv(100) == b"READY=1"


def test_nobody_listens(tmp_path: Path) -> None:
    assert not notify("READY=1", {})
    assert not notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "gone")})
