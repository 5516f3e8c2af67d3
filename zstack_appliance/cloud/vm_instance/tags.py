"""The system tags that change how a VM is made."""

from __future__ import annotations

import base64
import binascii
import re

from zstack_appliance.kernel.errors import Fault
from zstack_appliance.kernel.tag import SystemTag

_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_USER_DATA_BYTES = 65536
"""Largest user data, decoded: what cloud-init's own data sources commonly allow."""


def _hostname(tokens: dict[str, str]) -> Fault | None:
    name = tokens["hostname"]
    if len(name) <= 253 and all(_LABEL.fullmatch(label) for label in name.split(".")):
        return None
    return Fault("systemTags", f"hostname[{name}] is not a valid host name (RFC 1123): letters, digits and hyphens")


def _user_data(tokens: dict[str, str]) -> Fault | None:
    try:
        size = len(base64.b64decode(tokens["userdata"], validate=True))
    except binascii.Error:
        return Fault("systemTags", "userdata:: takes base64 text; encode the user data first")
    if size > _USER_DATA_BYTES:
        return Fault("systemTags", f"user data of {size} bytes is larger than {_USER_DATA_BYTES}")
    return None


def _mac(tokens: dict[str, str]) -> Fault | None:
    mac = tokens["customMac"].lower()
    if not re.fullmatch(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", mac) or mac == "00:00:00:00:00:00":
        return Fault("systemTags", f"mac[{mac}] is no hardware address such as fa:16:3e:00:00:01")
    if int(mac[:2], 16) & 1:
        return Fault("systemTags", f"mac[{mac}] is for groups of receivers; the first byte of a NIC's is even")
    return None


VM = "VmInstanceVO"
HOSTNAME = SystemTag(VM, "hostname::{hostname}", "The guest's host name, told by seed and DHCP.", _hostname)
USER_DATA = SystemTag(VM, "userdata::{userdata}", "User data for cloud-init, in base64.", _user_data)
SSH_KEY = SystemTag(VM, "sshkey::{sshkey}", "A public key that may log in as root.")
CONSOLE_PASSWORD = SystemTag(
    VM, "consolePassword::{consolePassword}", "The display's password; VNC looks at its first 8 characters."
)
STATIC_IP = SystemTag(
    VM, "staticIp::{l3NetworkUuid}::{staticIp}", "The address that the NIC on this L3 network gets.", single=False
)
CUSTOM_MAC = SystemTag(
    VM,
    "customMac::{l3NetworkUuid}::{customMac}",
    "The hardware address that the NIC on this L3 network gets when the VM is made.",
    _mac,
    single=False,
)
TAGS = (HOSTNAME, USER_DATA, SSH_KEY, CONSOLE_PASSWORD, STATIC_IP, CUSTOM_MAC)
