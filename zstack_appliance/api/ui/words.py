"""Names of the wire as people read them: `label` and `spaced`."""

from __future__ import annotations

import functools
import re

_WORD = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Za-z][a-z]*\d*|\d+")
_WRITTEN = {
    "api": "API", "cidr": "CIDR", "cpu": "CPU", "cpus": "CPUs", "dns": "DNS", "eip": "EIP", "ha": "HA", "id": "ID",
    "ip": "IP", "ips": "IPs", "iso": "ISO", "kvm": "KVM", "l2": "L2", "l3": "L3", "mac": "MAC", "md5": "MD5",
    "md5sum": "MD5", "mtu": "MTU", "nfs": "NFS", "nic": "NIC", "nics": "NICs", "os": "OS", "ssh": "SSH", "url": "URL",
    "uuid": "UUID", "uuids": "UUIDs", "vip": "VIP", "vlan": "VLAN", "vm": "VM", "vms": "VMs", "vxlan": "VXLAN",
    "zql": "ZQL",
}  # fmt: skip
_SAID = {
    "Last op date": "Changed",
    "Create date": "Created",
    "CPU num": "CPUs",
    "Memory size": "Memory",
    "Finished date": "Finished",
    "Name": "Name",
}


@functools.lru_cache(maxsize=4096)
def spaced(name: str) -> str:
    """``defaultL3NetworkUuid`` to ``Default L3 network UUID``: the words, the first with a capital."""
    found = _WORD.findall(name.replace("-", " ").replace("_", " ")) or [name]
    written = [_WRITTEN.get(word.lower(), word if len(word) > 1 and word.isupper() else word.lower()) for word in found]
    text = " ".join(written)
    return text[:1].upper() + text[1:]


def api_words(full: str) -> str:
    """``org.zstack.header.vm.APIStartVmInstanceMsg`` to ``Start VM instance``."""
    return spaced(short_name(full))


def short_name(full: str) -> str:
    """``org.zstack.header.vm.APIStartVmInstanceMsg`` to ``StartVmInstance``."""
    return full.rpartition(".")[2].removeprefix("API").removesuffix("Msg")


def inside(text: str) -> str:
    """A name in the middle of a sentence: ``Zone`` is ``zone``, while ``VM`` and ``L3 network`` stay."""
    return text if len(text) > 1 and (text[1].isupper() or text[1].isdigit()) else text[:1].lower() + text[1:]


@functools.lru_cache(maxsize=4096)
def label(wire: str) -> str:
    """What a field is called: ``hostUuid`` is ``Host``, since its value is shown by name."""
    text = spaced(wire)
    for end in (" UUIDs", " UUID"):
        if text.endswith(end):
            return text.removesuffix(end) + ("s" if end == " UUIDs" else "")
    text = text.replace(" UUID for ", " for ")
    room = _ROOM.fullmatch(text)
    if room is not None:
        said = f"{room[2] or ''}{_ROOMS[room[1]]}"
        return said[:1].upper() + said[1:]
    return _SAID.get(text, text)


_ROOM = re.compile(r"(Available|Total) (?:(.+ ))?capacity")
_ROOMS = {"Available": "free", "Total": "total"}
