"""The libvirt domain of a virtual machine: `domain_xml` writes it, the `*_of` functions read it back.

Pure. The domain carries, in a metadata element of our own namespace, whose it is (`Mark`): the instance id
of the appliance that made it, and ZStack's UUID of the VM.
"""

from __future__ import annotations

import re
import uuid as uuids
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from agents.kvm.domain_tuning import tune
from zstack_appliance.cloud.host.driver import Accelerator, DiskSpec, DomainSpec, NicSpec, VncAddress

METADATA_NAMESPACE = "urn:zstack-appliance:domain:1"
"""Names our metadata element; only a name, nothing is served there."""

HOT_PLUG_SLOTS = 16
"""PCIe root ports beyond those in use: q35 takes no device into a running guest without an empty one."""

_NOT_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose a domain is."""

    instance: str
    uuid: str


@dataclass(frozen=True, slots=True)
class DomainFiles:
    """Where a host keeps what belongs to one domain besides its volumes.

    Attributes:
        console_log: receives what the guest writes to its first serial port, anew at each start.
        seed: the NoCloud image, when the VM has one.
    """

    console_log: Path
    seed: Path | None


def domain_xml(spec: DomainSpec, *, instance: str, accelerator: Accelerator, files: DomainFiles) -> str:
    """Describe a virtual machine to libvirt.

    Args:
        spec: the machine.
        instance: six hexadecimal digits that mark it as ours.
        accelerator: decides the domain type and the CPU model.
        files: where the serial log and the seed are.
    """
    domain = ET.Element("domain", type="kvm" if accelerator is Accelerator.KVM else "qemu")
    _text(domain, "name", spec.uuid)
    _text(domain, "uuid", str(uuids.UUID(spec.uuid)))
    _text(domain, "title", _one_line(spec.name))
    _mark(domain, Mark(instance=instance, uuid=spec.uuid))
    _text(domain, "memory", str(spec.memory), unit="b")
    _text(domain, "vcpu", str(spec.vcpus))
    os = ET.SubElement(domain, "os")
    _text(os, "type", "hvm", arch="x86_64", machine=spec.machine)
    tune(domain, os, spec.tuning, accelerator)
    _text(domain, "on_poweroff", "destroy")
    _text(domain, "on_reboot", "restart")
    _text(domain, "on_crash", "destroy")
    _devices(ET.SubElement(domain, "devices"), spec, files)
    return ET.tostring(domain, encoding="unicode")


def mark_of(metadata: str) -> Mark | None:
    """The mark in a metadata element as libvirt returns it, or None when it is not one of ours."""
    element = ET.fromstring(metadata)  # noqa: S314 - libvirtd, not a guest, wrote this XML
    instance, uuid = element.get("instance"), element.get("uuid")
    if instance is None or uuid is None:
        return None
    return Mark(instance=instance, uuid=uuid)


def vnc_of(domain: str) -> VncAddress | None:
    """Where the display listens, from a running domain's XML; None when it has none."""
    graphics = ET.fromstring(domain).find("devices/graphics[@type='vnc']")  # noqa: S314 - as in mark_of
    if graphics is None or int(graphics.get("port", "-1")) < 0:
        return None
    return VncAddress(host=graphics.get("listen", "127.0.0.1"), port=int(graphics.get("port", "-1")))


def _mark(domain: ET.Element, mark: Mark) -> None:
    # The prefix is spelt out: ElementTree would make up another, and put it on the domain element.
    ET.SubElement(
        ET.SubElement(domain, "metadata"),
        "zs:vm",
        {"xmlns:zs": METADATA_NAMESPACE, "instance": mark.instance, "uuid": mark.uuid},
    )


def _devices(devices: ET.Element, spec: DomainSpec, files: DomainFiles) -> None:
    _pci(devices, spec)
    for number, disk in enumerate(spec.disks):
        _disk(devices, disk, f"vd{_letters(number)}")
    if files.seed is not None:
        _seed(devices, files.seed)
    for nic in spec.nics:
        _nic(devices, nic)
    _serial(devices, files.console_log)
    _display(devices, spec)
    channel = ET.SubElement(devices, "channel", type="unix")
    ET.SubElement(channel, "target", type="virtio", name="org.qemu.guest_agent.0")
    rng = ET.SubElement(devices, "rng", model="virtio")
    _text(rng, "backend", "/dev/urandom", model="random")
    ET.SubElement(devices, "memballoon", model="virtio")


def _pci(devices: ET.Element, spec: DomainSpec) -> None:
    """Controllers, and enough root ports: one for each PCI device declared, and the free ones."""
    ET.SubElement(devices, "controller", type="scsi", index="0", model="virtio-scsi")
    ET.SubElement(devices, "controller", type="usb", index="0", model="qemu-xhci")
    if spec.machine != "q35":
        return
    ET.SubElement(devices, "controller", type="pci", index="0", model="pcie-root")
    fixed = 5  # SCSI, USB, serial bus of the agent channel, random numbers, balloon
    fixed += spec.tuning.video == "virtio"  # The others are no PCI Express devices, and need no port.
    for index in range(1, fixed + len(spec.disks) + len(spec.nics) + HOT_PLUG_SLOTS + 1):
        ET.SubElement(devices, "controller", type="pci", index=str(index), model="pcie-root-port")


def _disk(devices: ET.Element, disk: DiskSpec, target: str) -> None:
    element = ET.SubElement(devices, "disk", type="file", device="disk")
    ET.SubElement(element, "driver", name="qemu", type=disk.format, cache=disk.cache, discard="unmap")
    ET.SubElement(element, "source", file=disk.path)
    ET.SubElement(element, "target", dev=target, bus="virtio")
    _text(element, "serial", disk.device_id[:20])
    _boot(element, disk.boot_order)


def _seed(devices: ET.Element, seed: Path) -> None:
    """The seed as a SCSI CD-ROM: Debian's cloud kernel has a driver for virtio-scsi and none for SATA."""
    element = ET.SubElement(devices, "disk", type="file", device="cdrom")
    ET.SubElement(element, "driver", name="qemu", type="raw")
    ET.SubElement(element, "source", file=str(seed))
    ET.SubElement(element, "target", dev="sda", bus="scsi")
    ET.SubElement(element, "readonly")


def _nic(devices: ET.Element, nic: NicSpec) -> None:
    element = ET.SubElement(devices, "interface", type="bridge")
    ET.SubElement(element, "mac", address=nic.mac)
    ET.SubElement(element, "source", bridge=nic.bridge)
    ET.SubElement(element, "target", dev=nic.tap)
    ET.SubElement(element, "model", type=nic.model)
    if nic.queues > 1:
        ET.SubElement(element, "driver", queues=str(nic.queues))
    ET.SubElement(element, "mtu", size=str(nic.mtu))
    _boot(element, nic.boot_order)


def _serial(devices: ET.Element, log: Path) -> None:
    serial = ET.SubElement(devices, "serial", type="pty")
    ET.SubElement(serial, "log", file=str(log), append="off")
    ET.SubElement(serial, "target", type="isa-serial", port="0")
    console = ET.SubElement(devices, "console", type="pty")
    ET.SubElement(console, "target", type="serial", port="0")


def _display(devices: ET.Element, spec: DomainSpec) -> None:
    # An absolute pointer, or the cursor of a browser's viewer drifts away from the guest's.
    ET.SubElement(devices, "input", type="tablet", bus="usb")
    graphics = ET.SubElement(devices, "graphics", type="vnc", port="-1", autoport="yes", listen="127.0.0.1")
    if spec.console_password is not None:
        graphics.set("passwd", spec.console_password[:8])
    model = ET.SubElement(ET.SubElement(devices, "video"), "model", type=spec.tuning.video)
    if spec.tuning.video != "virtio":
        model.set("vram", "16384")


def _boot(device: ET.Element, order: int | None) -> None:
    if order is not None:
        ET.SubElement(device, "boot", order=str(order))


def _text(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    ET.SubElement(parent, tag, attributes).text = text


def _one_line(name: str) -> str:
    """A name as libvirt takes it for a title: one line, without what XML cannot hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", name.replace("\n", " ").replace("\r", " "))


def _letters(number: int) -> str:
    """Disk letters in the kernel's own counting: a … z, aa, ab …"""
    letters = ""
    number += 1
    while number > 0:
        number, digit = divmod(number - 1, 26)
        letters = chr(ord("a") + digit) + letters
    return letters
