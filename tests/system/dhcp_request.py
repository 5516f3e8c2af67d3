"""A guest that was given an address elsewhere and asks whoever hears it whether it may keep that.

``dhcp_request.py MAC ADDRESS`` prints the type of the answer, 5 being yes and 6 being no, or ``silence``.
"""

from __future__ import annotations

import socket
import struct
import sys

REPLY_TYPE = 242
"""Where the first option's value is in an answer; servers begin with the message type."""


def request(mac: str, address: str) -> bytes:
    """A DHCPREQUEST as a client sends it after a restart, with the answer by broadcast."""
    hardware = bytes.fromhex(mac.replace(":", ""))
    fixed = struct.pack("!4B4sHH16x16s192x", 1, 1, 6, 0, b"test", 0, 0x8000, hardware)
    options = bytes([53, 1, 3, 50, 4]) + socket.inet_aton(address) + b"\xff"
    return fixed + bytes([99, 130, 83, 99]) + options


def main() -> None:
    """Ask, and wait a second for an answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        client.bind(("", 68))
        client.settimeout(1)
        client.sendto(request(sys.argv[1], sys.argv[2]), ("255.255.255.255", 67))
        try:
            answer = str(client.recv(2000)[REPLY_TYPE])
        except TimeoutError:
            answer = "silence"
    sys.stdout.write(f"{answer}\n")


if __name__ == "__main__":
    main()
